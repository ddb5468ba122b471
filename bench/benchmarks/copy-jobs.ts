import { Queue } from "bullmq";
import { alternate } from "../results/alternate.ts";
import type { Benchmark } from "../benchmark.ts";
import { drainEffort } from "../lab/drain-queue.ts";
import { compareEfforts } from "../results/effort.ts";
import { generatedKeys } from "../lab/generated-key.ts";
import { openLab } from "../lab/open.ts";
import { plainCopies, startPlainWorker } from "../lab/plain-worker.ts";

const CONCURRENCY = 64;

/** Many copy-object jobs that wait already: what one worker process gets done. */
export const copyJobs: Benchmark = {
  name: "copy-jobs",
  title: "copy-object jobs",
  async run(context) {
    const { quick, say, stack } = context;
    const rounds = quick ? 3 : 7;
    const count = quick ? 1500 : 4000;
    const lab = await openLab(context);
    const { control } = lab.server;
    await control.createBucket("in");
    await control.generate("in", { count });
    await control.createBucket("out", { sink: true });
    const worker = await lab.worker({ concurrency: { "copy-object": CONCURRENCY } });
    const producer = lab.producer();
    const plain = await startPlainWorker(lab, { concurrency: CONCURRENCY });
    const queue = new Queue("copy-object", { connection: lab.connect(), prefix: "bench" });
    stack.defer(() => queue.close());

    const keys = generatedKeys(count);
    let run = 0;
    const sides = {
      ours: () => {
        const prefix = `ours-${run++}/`;
        const inputs = keys.map((key) => ({
          object: { bucket: "in", key },
          destination: { bucket: "out", key: prefix + key },
        }));
        return drainEffort({
          pid: worker.pid,
          queue,
          count,
          add: () => producer.enqueueMany("copy-object", inputs),
        });
      },
      plain: () => {
        const jobs = plainCopies(keys, `plain-${run++}/`);
        return drainEffort({ pid: plain.pid, queue: plain.queue, count, add: () => plain.queue.addBulk(jobs) });
      },
    };
    say("warming up");
    await sides.ours();
    await sides.plain();
    const before = (await control.state()).counts;
    const { ours, plain: theirs } = await alternate(rounds, sides, (round) => say(`round ${round} of ${rounds}`));
    const after = (await control.state()).counts;
    const heads = ((after.HeadObject ?? 0) - (before.HeadObject ?? 0)) / (rounds * count);
    const what = "BullMQ worker, one SDK CopyObject per job";
    return {
      figures: [
        {
          name: "copy-object jobs",
          unit: "jobs/s",
          ...compareEfforts(ours, theirs, { of: "perSecond", what }),
          bound: { on: "ratio", atLeast: 1.3 },
        },
        { name: "worker's CPU for each job", unit: "us", ...compareEfforts(ours, theirs, { of: "cpuUs", what }) },
      ],
      notes: [
        `${count} jobs a round, ${rounds} rounds that alternate, concurrency ${CONCURRENCY} on both sides, the jobs added while the queue is paused; only the work is timed.`,
        `Ours pins the source first (${heads.toFixed(2)} HEADs for each job measured), keeps what it has proven in Redis so that a rerun repeats nothing, and writes its log. The plain worker calls CopyObject once and believes it.`,
      ],
    };
  },
};
