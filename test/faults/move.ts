/** `npm run test:faults -- move`: every trouble at every step of a move; prints each failure and the figures. */
import { startStack } from "../stack.ts";
import { cannotBeSafe, type MoveCase, moveCases } from "./move-cases.ts";
import { runMoveCase } from "./run-move-case.ts";

/** Kills start processes of their own and wait for locks to run out; the others share one worker. */
const AT_ONCE = { kill: 12, other: 48 } as const;

const ENV = {
  BUCKETLINE_MULTIPART_THRESHOLD: "5MiB",
  BUCKETLINE_COPY_PART_SIZE: "5MiB",
  BUCKETLINE_REQUEST_TIMEOUT: "1s",
  BUCKETLINE_COPY_TIMEOUT: "1s",
  BUCKETLINE_IDLE_TIMEOUT: "1s",
  BUCKETLINE_CONCURRENCY: "64",
};

export type Figures = {
  readonly cases: number;
  readonly failures: readonly string[];
  readonly notStruck: ReadonlyMap<string, number>;
};

/** Runs the cases whose name holds `filter`. */
export async function runMoveFaults(filter = ""): Promise<Figures> {
  const all = moveCases().filter(({ name }) => name.includes(filter));
  const cases = all.filter((one) => !cannotBeSafe(one));
  const left = all.length - cases.length;
  if (left > 0)
    console.log(
      `left out: ${left} cases of an overwrite between our look and the delete of a store that ignores conditions`,
    );
  const failures: string[] = [];
  const outcomes = new Map<string, number>();
  const notStruck = new Map<string, number>();
  let index = 0;
  for (const enforcing of [true, false])
    for (const kill of [false, true]) {
      const group = cases.filter((one) => one.enforcing === enforcing && (one.trouble.kind === "kill") === kill);
      if (group.length === 0) continue;
      console.log(
        `${group.length} cases: ${enforcing ? "enforcing" : "ignoring conditions"}, ${kill ? "kill -9" : "faults"}`,
      );
      await runGroup(group, enforcing, async (stack, one) => {
        const result = await runMoveCase(stack, one, index++);
        outcomes.set(result.outcome, (outcomes.get(result.outcome) ?? 0) + 1);
        const step = `${one.operation} of ${one.route}`;
        if (!result.struck) notStruck.set(step, (notStruck.get(step) ?? 0) + 1);
        for (const problem of result.problems) {
          failures.push(`${one.name}: ${problem} (${result.outcome})`);
          console.log(`FAILED ${failures.at(-1)}`);
        }
      });
    }
  console.log(
    `outcomes: ${[...outcomes]
      .toSorted(([, a], [, b]) => b - a)
      .map(([code, count]) => `${code} ${count}`)
      .join(", ")}`,
  );
  return { cases: cases.length, failures, notStruck };
}

async function runGroup(
  group: readonly MoveCase[],
  enforcing: boolean,
  run: (stack: Awaited<ReturnType<typeof startStack>>, one: MoveCase) => Promise<void>,
): Promise<void> {
  const conditions = {
    copySource: enforcing,
    copy: enforcing,
    delete: enforcing,
    multiDelete: enforcing,
    write: true,
    read: true,
  };
  const kill = group[0]?.trouble.kind === "kill";
  const queue = [...group];
  const lane = async () => {
    // A kill ends every worker of its Redis prefix, so each of those cases has a stack of its own.
    await using own = kill ? await open(conditions, enforcing) : undefined;
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) await run(own ?? (await shared), one);
  };
  const shared = kill ? Promise.reject(new Error("each case has its own")) : open(conditions, enforcing, true);
  shared.catch(() => undefined);
  await Promise.all(Array.from({ length: kill ? AT_ONCE.kill : AT_ONCE.other }, lane));
  if (!kill) await (await shared)[Symbol.asyncDispose]();
}

async function open(enforceConditions: object, enforcing: boolean, withWorker = false) {
  const stack = await startStack({
    sandbox: { enforceConditions },
    profile: { conditionalCopy: enforcing, conditionalDelete: enforcing },
    env: ENV,
  });
  if (withWorker) {
    const worker = await stack.startWorker();
    void worker.crashed.then((lines) => console.log(`THE WORKER CRASHED\n${lines.join("\n")}`));
  }
  return stack;
}
