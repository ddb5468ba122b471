import { alternate } from "../results/alternate.ts";
import type { Benchmark } from "../benchmark.ts";
import { compareEfforts, effortOf } from "../results/effort.ts";
import { openLab } from "../lab/open.ts";
import { runBatch } from "../lab/run-batch.ts";

/** So slow that neither the server nor the processor is the limit, but the requests that one worker has in flight. */
const LATENCY_MS = 150;

/** One worker beside two, on a store whose latency is the limit. */
export const twoWorkers: Benchmark = {
  name: "two-workers",
  title: `bulk copy by two workers beside one, ${LATENCY_MS} ms of latency per request`,
  async run(context) {
    const { quick, say } = context;
    const rounds = quick ? 2 : 5;
    const objects = quick ? 10_000 : 30_000;
    const lab = await openLab(context, { latencyMs: LATENCY_MS });
    const { control } = lab.server;
    await control.createBucket("in");
    await control.generate("in", { count: objects });
    await control.createBucket("out", { sink: true });
    const concurrency = { batches: 4 };
    // All stay up; those without a batch are idle.
    const alone = await lab.worker({ concurrency, prefix: "one" });
    await lab.worker({ concurrency, prefix: "two" });
    await lab.worker({ concurrency, prefix: "two" });
    const [one, two] = [lab.producer("one"), lab.producer("two")];
    let run = 0;
    const copyBy = (producer: typeof one) => () => {
      const destination = { bucket: "out", prefix: `${run++}/` };
      const spec = { operation: "copy" as const, source: { bucket: "in" }, destination };
      return effortOf(alone.pid, objects, () => runBatch(producer, spec));
    };
    const sides = { one: copyBy(one), two: copyBy(two) };
    say("warming up");
    await sides.one();
    await sides.two();
    const samples = await alternate(rounds, sides, (round) => say(`round ${round} of ${rounds}`));
    const beside = { of: "perSecond", what: "one worker" } as const;
    return {
      figures: [
        {
          name: "batch copy by two workers",
          unit: "objects/s",
          ...compareEfforts(samples.two, samples.one, beside),
          bound: { on: "ratio", atLeast: 1.7 },
        },
      ],
      notes: [
        `${objects.toLocaleString("en-US")} objects a round, ${rounds} rounds that alternate; each worker has 4 chunks of 64 copies in flight.`,
        `${LATENCY_MS} ms before every answer, so that a machine with two cores, which also carries the server and Redis, is not the limit: without latency one worker, the server and Redis use both cores already.`,
      ],
    };
  },
};
