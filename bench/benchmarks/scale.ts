import type { Redis } from "ioredis";
import type { Benchmark } from "../benchmark.ts";
import type { Figure } from "../results/figure.ts";
import { openLab } from "../lab/open.ts";
import { memoryOf } from "../lab/process-usage.ts";
import { countRequests, describeCounts } from "../lab/request-counts.ts";
import { runBatch } from "../lab/run-batch.ts";
import { startSampler } from "../lab/sampler.ts";
import { median } from "../results/statistics.ts";

const MB = 1e6;
const SAMPLE_MS = 100;

/** A batch so large that whatever grows with it would show. */
export const scale: Benchmark = {
  name: "scale",
  title: "a batch over a million objects",
  onDemand: true,
  async run(context) {
    const { quick, say } = context;
    const objects = quick ? 50_000 : 1_000_000;
    const lab = await openLab(context);
    const { control } = lab.server;
    await control.createBucket("in");
    await control.generate("in", { count: objects });
    await control.createBucket("small");
    await control.generate("small", { count: 5000 });
    await control.createBucket("out", { sink: true });
    const worker = await lab.worker({ concurrency: { batches: 4 } });
    const producer = lab.producer();
    const redis = lab.connect();
    // Scripts, connections and compiled code are there before the first sample.
    await runBatch(producer, copyOf("small", "warm-up/"));
    const before = await sampleRedis(redis);
    const sampler = startSampler(SAMPLE_MS, async () => ({
      ...(await sampleRedis(redis)),
      rss: memoryOf(worker.pid).now,
    }));
    let outcome: Awaited<ReturnType<typeof runBatch>> | undefined;
    const counts = await countRequests(lab.server, async () => {
      outcome = await runBatch(producer, copyOf("in", "big/"), ({ succeeded }) =>
        say(`${succeeded.toLocaleString("en-US")} of ${objects.toLocaleString("en-US")}`),
      );
    });
    const samples = await sampler.stop();
    if (outcome === undefined) throw new Error("expected a batch that ran");
    const { status, handle, seconds } = outcome;
    say("counting the rows of the report");
    let rows = 0;
    for await (const row of handle.report()) if (row.status === "succeeded") rows++;
    const there = (await control.count("out")) - 5000;

    const quarters = quartersOf(samples.map(({ rss }) => rss / MB));
    const grown = Math.max(...samples.map(({ memory }) => memory)) - before.memory;
    const wrong = [status.listed, status.succeeded, rows, there].reduce(
      (sum, count) => sum + Math.abs(count - objects),
      0,
    );
    return {
      figures: figuresOf({ objects, seconds, wrong, grown, rss: samples.map(({ rss }) => rss / MB), quarters }),
      notes: [
        `${objects.toLocaleString("en-US")} objects in ${seconds.toFixed(0)} s. Listed ${status.listed}, succeeded ${status.succeeded}, rows in the report ${rows}, objects at the destination ${there}.`,
        `The server counted ${describeCounts(counts)}.`,
        `${samples.length} samples. Redis before: ${(before.memory / MB).toFixed(1)} MB, ${before.keys} keys; most keys at once: ${Math.max(...samples.map(({ keys }) => keys))}.`,
        `The worker's memory in MB by quarters of the run, least/median/most: ${quarters.map((quarter) => [Math.min(...quarter), median(quarter), Math.max(...quarter)].map((mb) => mb.toFixed(0)).join("/")).join(", ")}.`,
      ],
    };
  },
};

const copyOf = (bucket: string, prefix: string) => ({
  operation: "copy" as const,
  source: { bucket },
  destination: { bucket: "out", prefix },
});

async function sampleRedis(redis: Redis): Promise<{ memory: number; keys: number }> {
  const [info, keys] = await Promise.all([redis.info("memory"), redis.dbsize()]);
  return { memory: Number(/^used_memory:(\d+)/m.exec(info)?.[1]), keys };
}

function quartersOf(values: readonly number[]): number[][] {
  const length = Math.ceil(values.length / 4);
  return [0, 1, 2, 3].map((quarter) => values.slice(quarter * length, (quarter + 1) * length));
}

type Seen = {
  readonly objects: number;
  readonly seconds: number;
  readonly wrong: number;
  readonly grown: number;
  readonly rss: readonly number[];
  readonly quarters: readonly (readonly number[])[];
};

function figuresOf({ objects, seconds, wrong, grown, rss, quarters }: Seen): Figure[] {
  const [, second = [], , last = []] = quarters;
  return [
    { name: "objects copied", value: objects / seconds, unit: "objects/s" },
    { name: "objects lost, or counted twice", value: wrong, unit: "objects", bound: { on: "value", atMost: 0 } },
    { name: "growth of Redis at most", value: grown / MB, unit: "MB", bound: { on: "value", atMost: 20 } },
    {
      name: "worker's memory at most",
      value: Math.max(...rss),
      unit: "MB",
      bound: { on: "value", atMost: 300 },
    },
    {
      name: "worker's memory, last quarter",
      value: median(last),
      unit: "MB",
      beside: { what: "second quarter", value: median(second), ratio: median(last) / median(second) },
      bound: { on: "ratio", atMost: 1.1 },
    },
  ];
}
