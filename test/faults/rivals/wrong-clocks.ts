import { startStack } from "../../stack.ts";
import { createLedger, judgeRows } from "./ledger.ts";
import { numbered, type Rival } from "./encounter.ts";

/** Puts a process' clock off; it is loaded before anything else. */
const shifted = (ms: number): string => {
  const code = `const real = Date.now; const D = Date; Date.now = () => real() + ${ms}; globalThis.Date = class extends D { constructor(...a) { super(...(a.length ? a : [D.now()])); } };`;
  return `--import data:text/javascript,${encodeURIComponent(code)}`;
};

/** Workers whose clocks are an hour ahead and an hour behind, while the store asks for time, and one of them dies. */
export const wrongClocks: Rival = {
  name: "workers with wrong clocks",
  async run({ objects }, random) {
    await using stack = await startStack({ sandbox: { logSize: 0 } });
    const { sandbox, producer } = stack;
    const ledger = createLedger(sandbox);
    for (const bucket of ["in", "out"]) sandbox.createBucket(bucket);
    for (const key of numbered(objects)) ledger.write("in", key);
    const storm = sandbox.fault({ kind: "slow-down", probability: 0.3, seed: random.integer(1, 1000) });
    const ahead = await stack.startWorker({ NODE_OPTIONS: shifted(3_600_000) });
    await stack.startWorker({ NODE_OPTIONS: shifted(-3_600_000) });
    const batch = await producer.batches.start({
      operation: "move",
      source: { bucket: "in" },
      destination: { bucket: "out" },
    });
    const single = await producer.enqueue("head-object", {
      object: { bucket: "in", key: numbered(objects).at(-1) ?? "" },
    });
    await ahead.kill();
    storm.remove();
    const signal = AbortSignal.timeout(180_000);
    const ended = await batch.done({ signal }).catch(() => undefined);
    const problems = ended === undefined ? ["the batch did not end within three minutes"] : [];
    const answer = await single.result({ timeout: 60_000 }).then(
      () => "done",
      (error: { code?: string }) => error.code,
    );
    if (answer !== "done" && answer !== "NoSuchKey") problems.push(`the single job: ${answer ?? "no end"}`);
    return [...problems, ...ledger.judge(["in", "out"]), ...(await judgeRows(sandbox, batch.report(), { to: "out" }))];
  },
};
