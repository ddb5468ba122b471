import { alternate } from "../results/alternate.ts";
import { startBareLoop } from "../lab/bare-loop.ts";
import type { Benchmark } from "../benchmark.ts";
import type { Figure } from "../results/figure.ts";
import { drainEffort } from "../lab/drain-queue.ts";
import { compareEfforts, type Effort, effortOf } from "../results/effort.ts";
import { generatedKeys } from "../lab/generated-key.ts";
import { openLab } from "../lab/open.ts";
import { plainCopies, startPlainWorker } from "../lab/plain-worker.ts";
import { runBatch } from "../lab/run-batch.ts";

/** Chunks at once, which is a worker's default, and copies at once in each. */
const CHUNKS = 4;
const IN_FLIGHT = CHUNKS * 64;

/** The same bulk copy as a batch, as one job per object, and as a bare loop of requests. */
export const batchCopy: Benchmark = {
  name: "batch-copy",
  title: "bulk copy by one worker process",
  async run(context) {
    const { quick, say } = context;
    const rounds = quick ? 3 : 7;
    const objects = quick ? 20_000 : 60_000;
    const jobs = quick ? 2000 : 6000;
    const lab = await openLab(context);
    const { control } = lab.server;
    await control.createBucket("in");
    await control.generate("in", { count: objects });
    await control.createBucket("out", { sink: true });
    const worker = await lab.worker({ concurrency: { batches: CHUNKS } });
    const producer = lab.producer();
    const plain = await startPlainWorker(lab, { concurrency: IN_FLIGHT });
    const bare = await startBareLoop(lab);

    const keys = generatedKeys(jobs);
    let run = 0;
    const sides = {
      batch: () => {
        const destination = { bucket: "out", prefix: `batch-${run++}/` };
        const spec = { operation: "copy" as const, source: { bucket: "in" }, destination };
        return effortOf(worker.pid, objects, () => runBatch(producer, spec));
      },
      plain: () => {
        const copies = plainCopies(keys, `plain-${run++}/`);
        return drainEffort({ pid: plain.pid, queue: plain.queue, count: jobs, add: () => plain.queue.addBulk(copies) });
      },
      bare: () => {
        const order = {
          bucket: "in",
          count: objects,
          destination: "out",
          prefix: `bare-${run++}/`,
          concurrency: IN_FLIGHT,
        };
        return effortOf(bare.pid, objects, () => bare.copy(order));
      },
    };
    say("warming up");
    await sides.batch();
    await sides.plain();
    await sides.bare();
    const samples = await alternate(rounds, sides, (round) => say(`round ${round} of ${rounds}`));
    return {
      figures: figuresOf(samples),
      notes: [
        `${objects.toLocaleString("en-US")} objects a round through a batch and the bare loop, ${jobs.toLocaleString("en-US")} through the plain worker; ${rounds} rounds that alternate; ${IN_FLIGHT} copies in flight on every side, one process each.`,
        "The batch lists, copies under a condition, verifies each ETag, keeps its progress in Redis and writes a report with a row per object. The other two only copy.",
        "The plain worker's jobs are added while its queue is paused; the batch is timed from start() to its end.",
      ],
    };
  },
};

function figuresOf({ batch, ...samples }: Readonly<Record<"batch" | "plain" | "bare", readonly Effort[]>>): Figure[] {
  const beside = { of: "perSecond", what: "BullMQ worker, one SDK CopyObject per job" } as const;
  const besideBare = { of: "perSecond", what: "bare loop of signed requests" } as const;
  return [
    {
      name: "batch copy",
      unit: "objects/s",
      ...compareEfforts(batch, samples.plain, beside),
      bound: { on: "ratio", atLeast: 5 },
    },
    {
      name: "worker's CPU for each object",
      unit: "us",
      ...compareEfforts(batch, samples.bare, { ...besideBare, of: "cpuUs" }),
      bound: { on: "ratio", atMost: 1.5 },
    },
    {
      name: "worker's CPU for each object",
      unit: "us",
      ...compareEfforts(batch, samples.plain, { ...beside, of: "cpuUs" }),
    },
    { name: "batch copy", unit: "objects/s", ...compareEfforts(batch, samples.bare, besideBare) },
  ];
}
