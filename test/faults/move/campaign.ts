/** The move campaign: every trouble at every step of a move; prints each failure and the figures. */
import { startStack } from "../../stack.ts";
import { cannotBeSafe, type MoveCase, moveCases } from "./cases.ts";
import { createRandom } from "../random.ts";
import { runMoveCase } from "./run-case.ts";

/** Kills start processes of their own; the others share two workers. */
const AT_ONCE = { kill: 8, other: 24 } as const;

/** Long enough for a busy machine, and short enough for stalls to be waited for. */
const TIMEOUT = "4s";

const ENV = {
  BUCKETLINE_ACTIVITIES: "move-object",
  BUCKETLINE_MULTIPART_THRESHOLD: "5MiB",
  BUCKETLINE_COPY_PART_SIZE: "5MiB",
  BUCKETLINE_UPLOAD_PART_SIZE: "5MiB",
  BUCKETLINE_CONCURRENCY: "64",
};

export type MoveCampaign = {
  /** A part of the names of the cases that are meant. */
  readonly filter?: string | undefined;
  /** So many of them, drawn by a seed. */
  readonly sample?: { readonly seed: number; readonly cases: number } | undefined;
};

type Tally = {
  readonly failures: string[];
  readonly outcomes: Map<string, number>;
  readonly notStruck: Map<string, number>;
};

/** Answers how many cases there were, and in how many a promise was broken. */
export async function runMoveFaults(campaign: MoveCampaign): Promise<{ cases: number; failures: number }> {
  const startedAt = performance.now();
  const cases = choose(campaign);
  const tally: Tally = { failures: [], outcomes: new Map(), notStruck: new Map() };
  let index = 0;
  for (const enforcing of [true, false])
    for (const kill of [false, true]) {
      const group = cases.filter((one) => one.enforcing === enforcing && (one.trouble.kind === "kill") === kill);
      if (group.length === 0) continue;
      const what = `${enforcing ? "enforcing" : "ignoring conditions"}, ${kill ? "kill -9" : "faults"}`;
      console.log(`${group.length} moves: ${what}`);
      await runGroup(group, kill, tally, () => index++);
    }
  const outcomes = [...tally.outcomes].toSorted(([, a], [, b]) => b - a).map(([code, count]) => `${code} ${count}`);
  console.log(`outcomes: ${outcomes.join(", ")}`);
  for (const [step, count] of tally.notStruck) console.log(`no request met the trouble: ${step}, ${count} cases`);
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  console.log(`move under fault: ${cases.length} cases, ${tally.failures.length} failures, ${seconds} s`);
  return { cases: cases.length, failures: tally.failures.length };
}

function choose({ filter = "", sample }: MoveCampaign): readonly MoveCase[] {
  const all = moveCases().filter(({ name }) => name.includes(filter));
  const cases = all.filter((one) => !cannotBeSafe(one));
  const left = all.length - cases.length;
  if (left > 0)
    console.log(
      `left out: ${left} cases of an overwrite between our look and the delete of a store that ignores conditions`,
    );
  if (sample === undefined) return cases;
  console.log(`${sample.cases} of ${cases.length} cases, drawn by seed ${sample.seed}`);
  return createRandom(sample.seed).sample(cases, sample.cases);
}

async function runGroup(
  group: readonly MoveCase[],
  kill: boolean,
  { failures, outcomes, notStruck }: Tally,
  nextIndex: () => number,
): Promise<void> {
  const fail = (problem: string) => {
    failures.push(problem);
    console.log(`FAILED ${problem}`);
  };
  const queue = [...group];
  const take = async (stack: Stack): Promise<void> => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
      const { problems, outcome, said, struck } = await runMoveCase(stack, one, nextIndex());
      tick(outcomes, outcome);
      if (!struck) tick(notStruck, `${one.operation} of ${one.route} at the ${one.at}`);
      if (problems.length > 0) fail(`${one.name}: ${problems.join("; ")} (${said})`);
    }
  };
  const enforcing = group[0]?.enforcing === true;
  if (kill) {
    // A kill ends every worker of its Redis prefix, so each lane has a stack of its own.
    const lane = async () => {
      await using stack = await open(enforcing);
      await take(stack);
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE.kill, group.length) }, lane));
    return;
  }
  await using stack = await open(enforcing);
  let over = false;
  const staff = async (): Promise<void> => {
    const worker = await stack.startWorker();
    void worker.crashed.then((lines) => {
      if (over) return undefined;
      fail(`a worker crashed:\n${lines.join("\n")}`);
      return staff();
    });
  };
  await Promise.all([staff(), staff()]);
  await Promise.all(Array.from({ length: AT_ONCE.other }, () => take(stack)));
  over = true;
}

type Stack = Awaited<ReturnType<typeof startStack>>;

async function open(enforcing: boolean): Promise<Stack> {
  const conditions = { copySource: enforcing, copy: enforcing, delete: enforcing, multiDelete: enforcing };
  return await startStack({
    sandbox: { logSize: 0, enforceConditions: { ...conditions, write: true, read: true } },
    profile: { conditionalCopy: enforcing, conditionalWrite: enforcing, conditionalDelete: enforcing },
    env: {
      ...ENV,
      BUCKETLINE_REQUEST_TIMEOUT: TIMEOUT,
      BUCKETLINE_COPY_TIMEOUT: TIMEOUT,
      BUCKETLINE_IDLE_TIMEOUT: TIMEOUT,
    },
  });
}

function tick(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
