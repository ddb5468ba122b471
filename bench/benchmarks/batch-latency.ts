import type { Benchmark } from "../benchmark.ts";
import { openLab } from "../lab/open.ts";
import { runBatch } from "../lab/run-batch.ts";
import { median } from "../results/statistics.ts";

/** As far from a store as another building of the same region. */
const LATENCY_MS = 30;

/** Bulk copies from a store that takes its time. */
export const batchLatency: Benchmark = {
  name: "batch-latency",
  title: `bulk copy with ${LATENCY_MS} ms of latency per request`,
  async run(context) {
    const { quick, say } = context;
    const rounds = quick ? 2 : 5;
    const objects = quick ? 20_000 : 60_000;
    const lab = await openLab(context, { latencyMs: LATENCY_MS });
    const { control } = lab.server;
    await control.createBucket("in");
    await control.generate("in", { count: objects });
    await control.createBucket("out", { sink: true });
    await lab.worker({ concurrency: { batches: 4 } });
    const producer = lab.producer();
    const rates: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      say(round === 0 ? "warming up" : `round ${round} of ${rounds}`);
      const destination = { bucket: "out", prefix: `${round}/` };
      const { seconds } = await runBatch(producer, { operation: "copy", source: { bucket: "in" }, destination });
      if (round > 0) rates.push(objects / seconds);
    }
    return {
      figures: [{ name: "batch copy", value: median(rates), unit: "objects/s", bound: { on: "value", atLeast: 2000 } }],
      notes: [
        `${objects.toLocaleString("en-US")} objects, ${rounds} rounds after one to warm up; one worker with its defaults: 4 chunks of 64 copies at once.`,
        `${LATENCY_MS} ms before every answer: at most ${Math.floor(256 / (LATENCY_MS / 1000)).toLocaleString("en-US")} objects/s with 256 requests in flight.`,
      ],
    };
  },
};
