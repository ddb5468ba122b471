import { startStack } from "../../stack.ts";
import { createLedger, judgeRows } from "./ledger.ts";
import { numbered, type Rival } from "./encounter.ts";

/** Somebody changes the metadata of objects in place, with the same bytes, before and after they are copied. */
export const rewrittenSources: Rival = {
  name: "rewritten sources",
  async run({ objects }, random) {
    const enforcing = random.next() < 0.5;
    await using stack = await startStack({
      sandbox: { enforceConditions: enforcing, logSize: 0 },
      profile: { conditionalDelete: enforcing, conditionalCopy: enforcing, conditionalWrite: enforcing },
    });
    const { sandbox, producer } = stack;
    const ledger = createLedger(sandbox);
    for (const bucket of ["in", "out"]) sandbox.createBucket(bucket);
    const keys = numbered(objects);
    for (const key of keys) ledger.write("in", key);
    const chosen = new Set(random.sample(keys, Math.ceil(objects / 10)));
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
