import type { Benchmark } from "../benchmark.ts";
import { openLab } from "../lab/open.ts";
import { countRequests, describeCounts } from "../lab/request-counts.ts";
import { runBatch } from "../lab/run-batch.ts";

/** What a store would bill for a bulk move, counted by the server. */
export const moveRequests: Benchmark = {
  name: "move-requests",
  title: "requests of a bulk move",
  async run(context) {
    const objects = context.quick ? 20_000 : 100_000;
    const lab = await openLab(context);
    const { control } = lab.server;
    await control.createBucket("in");
    await control.generate("in", { count: objects });
    await control.createBucket("out", { sink: true });
    await lab.worker({ concurrency: { batches: 4 } });
    const producer = lab.producer();
    const spec = { operation: "move" as const, source: { bucket: "in" }, destination: { bucket: "out" } };
    const counts = await countRequests(lab.server, () => runBatch(producer, spec));
    const [left, there] = await Promise.all([control.count("in"), control.count("out")]);
    if (left !== 0 || there !== objects)
      throw new Error(`expected all ${objects} objects moved: ${left} left, ${there} there`);
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
    const copies = counts["CopyObject"] ?? 0;
    return {
      figures: [
        {
          name: "CopyObject for each object",
          value: copies / objects,
          unit: "requests",
          bound: { on: "value", atMost: 1.01 },
        },
        {
          name: "others for each object",
          value: (total - copies) / objects,
          unit: "requests",
          bound: { on: "value", atMost: 0.01 },
        },
      ],
      notes: [
        `${objects.toLocaleString("en-US")} objects moved, every one of them at the destination and none left: ${describeCounts(counts)}, as the server counted them.`,
        "The store enforces conditions; where one does not, each object costs a HEAD more before its source is deleted.",
      ],
    };
  },
};
