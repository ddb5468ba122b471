import { judgeRows } from "./ledger.ts";
import type { Rival } from "./encounter.ts";
import { startBetween } from "./start.ts";

/** Somebody changes the metadata of objects in place, with the same bytes, before and after they are copied. */
export const rewrittenSources: Rival = {
  name: "rewritten sources",
  async run(size, random) {
    await using stack = await startBetween(["in", "out"], size, random);
    const { sandbox, producer, ledger, keys } = stack;
    const chosen = new Set(random.sample(keys, Math.ceil(size.objects / 10)));
    for (const when of ["before", "after"] as const)
      sandbox[when]("CopyObject", ({ key }) => {
        // Each once, at one of the two moments.
        if (chosen.has(key) && random.next() < 0.7 && chosen.delete(key)) ledger.rewrite("in", key);
      });
    await stack.startWorker();
    const batch = await producer.batches.start({
      operation: "move",
      source: { bucket: "in" },
      destination: { bucket: "out" },
    });
    await batch.done();
    const rows = await judgeRows(sandbox, batch.report(), { to: "out", mayBeNewer: true });
    return [...ledger.judge(["in", "out"]), ...rows];
  },
};
