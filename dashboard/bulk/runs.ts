import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import type { GroupAction } from "../problems/interface.ts";

/** One thing that is acted upon. */
export type BulkItem =
  | { readonly kind: "job"; readonly activity: string; readonly id: string }
  | { readonly kind: "batch" | "worker"; readonly id: string };

/** An action on many things, how far it is, and what came of it. */
export type BulkRun = {
  readonly id: string;
  readonly action: GroupAction;
  /** Of what, in words. */
  readonly title: string;
  readonly by: string;
  readonly reason?: string;
  readonly startedAt: string;
  readonly endedAt?: string;
  /** How many there were when it began. */
  readonly total: number;
  readonly done: number;
  /** Those that could not be acted upon: somebody was faster, or they changed. */
  readonly refused: number;
  /** The first of them, and why. */
  readonly refusals: readonly { readonly id: string; readonly why: string }[];
  readonly state: "running" | "done" | "stopped" | "failed";
};

export type BulkOrder = {
  readonly action: GroupAction;
  readonly title: string;
  readonly by: string;
  readonly reason?: string | undefined;
  readonly items: readonly BulkItem[];
  readonly act: (item: BulkItem) => Promise<void>;
};

/** Runs that are remembered. */
const KEPT = 50;
const AT_ONCE = 16;
const REFUSALS = 20;

type Running = { -readonly [Field in keyof BulkRun]: BulkRun[Field] };

/** Runs actions on many things, one after the other in each run; what a run came to is kept for as long as the dashboard lives. */
export function createBulkRuns(log: Logger) {
  const runs = new Map<string, Running>();
  const ending = new AbortController();
  const going = new Set<Promise<void>>();

  return {
    list: (): readonly BulkRun[] => [...runs.values()].toReversed(),
    get: (id: string): BulkRun | undefined => runs.get(id),
    start(order: BulkOrder): BulkRun {
      const run = begun(order);
      runs.set(run.id, run);
      for (const [old, { state }] of runs) if (runs.size > KEPT && state !== "running") runs.delete(old);
      const work = carryOut(run, order).finally(() => going.delete(work));
      going.add(work);
      return run;
    },
    async close(): Promise<void> {
      ending.abort();
      await Promise.all(going);
    },
  };

  async function carryOut(run: Running, order: BulkOrder): Promise<void> {
    try {
      const items = order.items[Symbol.iterator]();
      await Promise.all(Array.from({ length: AT_ONCE }, () => lane(run, order, items)));
      run.state = ending.signal.aborted ? "stopped" : "done";
    } catch (error) {
      run.state = "failed";
      log.warn({ err: error, bulk: run.id }, "an action on many things ended before its end");
    }
    run.endedAt = new Date().toISOString();
    const { id, action, title, by, total, done, refused, state } = run;
    log.info({ bulk: id, action, title, by, total, done, refused, state }, "an action on many things ended");
  }

  async function lane(run: Running, order: BulkOrder, items: Iterator<BulkItem>): Promise<void> {
    for (;;) {
      const next = items.next();
      if (next.done === true || ending.signal.aborted) return;
      try {
        await order.act(next.value);
        run.done += 1;
      } catch (error) {
        run.refused += 1;
        const why = error instanceof Error ? error.message : String(error);
        if (run.refusals.length < REFUSALS) run.refusals = [...run.refusals, { id: next.value.id, why }];
      }
    }
  }
}

/** As it stands before its first item. */
function begun({ action, title, by, reason, items }: BulkOrder): Running {
  return {
    id: randomBytes(8).toString("hex"),
    action,
    title,
    by,
    ...(reason !== undefined && { reason }),
    startedAt: new Date().toISOString(),
    total: items.length,
    done: 0,
    refused: 0,
    refusals: [],
    state: "running",
  };
}

export type BulkRuns = ReturnType<typeof createBulkRuns>;
