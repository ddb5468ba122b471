import { QueueEvents } from "bullmq";
import { build, type Histogram } from "hdr-histogram-js";
import { alternate } from "../results/alternate.ts";
import type { Benchmark } from "../benchmark.ts";
import type { Figure } from "../results/figure.ts";
import { generatedKey } from "../lab/generated-key.ts";
import { openLab } from "../lab/open.ts";
import { startPlainWorker } from "../lab/plain-worker.ts";

/** One job at a time, in blocks that alternate: what an app that asks and waits gets to see. */
export const headLatency: Benchmark = {
  name: "head-latency",
  title: "enqueue to result, one job at a time",
  async run(context) {
    const { quick, say, stack } = context;
    const rounds = quick ? 5 : 20;
    const block = 100;
    const lab = await openLab(context);
    await lab.server.control.createBucket("in");
    await lab.server.control.generate("in", { count: 1000 });
    await lab.worker({ concurrency: { "head-object": 32 } });
    const producer = lab.producer();
    const plain = await startPlainWorker(lab, { concurrency: 32 });
    const events = new QueueEvents("plain", { connection: lab.connect() });
    stack.defer(() => events.close());
    await events.waitUntilReady();

    const wait = async (data: Parameters<typeof plain.queue.add>[1]) =>
      await (await plain.queue.add("job", data)).waitUntilFinished(events);
    const sides = {
      ours: (index: number) => producer.run("head-object", { object: { bucket: "in", key: keyOf(index) } }),
      nothing: () => wait({ what: "nothing" }),
      plainHead: (index: number) => wait({ what: "head", bucket: "in", key: keyOf(index) }),
    };
    const histograms = { ours: build(), nothing: build(), plainHead: build() };
    const blockOf = (side: keyof typeof sides, into?: Histogram) => async () => {
      for (let index = 0; index < block; index++) {
        const started = performance.now();
        await sides[side](index);
        into?.recordValue(Math.round((performance.now() - started) * 1000));
      }
    };
    // The first blocks compile code and open connections.
    for (const side of ["ours", "nothing", "plainHead"] as const) await blockOf(side)();
    await alternate(
      rounds,
      {
        ours: blockOf("ours", histograms.ours),
        nothing: blockOf("nothing", histograms.nothing),
        plainHead: blockOf("plainHead", histograms.plainHead),
      },
      (round) => say(`round ${round} of ${rounds}`),
    );
    return {
      figures: [50, 99].flatMap((percentile) => [
        figure(histograms, percentile, { side: "nothing", what: "no-op BullMQ job" }),
        figure(histograms, percentile, { side: "plainHead", what: "BullMQ job with an SDK HeadObject" }),
      ]),
      notes: [
        `${rounds * block} jobs each, one at a time, in blocks of ${block} that alternate; every side with its worker in a process of its own.`,
        "Ours: producer.run(head-object), which checks input and result on both ends and asks S3. The no-op job asks nobody; both BullMQ jobs are waited for by job.waitUntilFinished(queueEvents).",
      ],
    };
  },
};

const keyOf = (index: number) => generatedKey(index % 1000);

type Histograms = Readonly<Record<"ours" | "nothing" | "plainHead", Histogram>>;

function figure(
  histograms: Histograms,
  percentile: number,
  { side, what }: { side: "nothing" | "plainHead"; what: string },
): Figure {
  const value = histograms.ours.getValueAtPercentile(percentile) / 1000;
  const other = histograms[side].getValueAtPercentile(percentile) / 1000;
  return {
    name: `head-object, p${percentile}`,
    value,
    unit: "ms",
    beside: { what, value: other, ratio: value / other },
  };
}
