import type { ActivityError } from "../model/activity-error.ts";
import type { ActivityName } from "../jobs/contracts.ts";

/** Collects looks at jobs, so that many at once cost few round trips. */
export type CheckBatches = {
  /** Resolves when the job was looked at; `known` is what an event told of it. */
  add(activity: ActivityName, id: string, known?: ActivityError): Promise<void>;
  close(): void;
};

type Batch = {
  readonly ids: Set<string>;
  readonly known: Map<string, ActivityError>;
  readonly done: PromiseWithResolvers<void>;
};

/** Jobs in one pipeline. */
const BATCH = 500;

export function createCheckBatches(
  check: (activity: ActivityName, ids: readonly string[], known: ReadonlyMap<string, ActivityError>) => Promise<void>,
): CheckBatches {
  const open = new Map<ActivityName, Batch>();
  let scheduled: NodeJS.Immediate | undefined;

  return {
    add: (activity, id, known) => {
      const batch = open.get(activity) ?? start(activity);
      batch.ids.add(id);
      if (known) batch.known.set(id, known);
      if (batch.ids.size >= BATCH) send(activity, batch);
      else scheduled ??= setImmediate(sendAll);
      return batch.done.promise;
    },
    close: () => {
      if (scheduled) clearImmediate(scheduled);
      for (const { done } of open.values()) done.resolve();
      open.clear();
    },
  };

  function start(activity: ActivityName): Batch {
    const batch: Batch = { ids: new Set(), known: new Map(), done: Promise.withResolvers() };
    open.set(activity, batch);
    return batch;
  }

  function sendAll(): void {
    scheduled = undefined;
    for (const [activity, batch] of open) send(activity, batch);
  }

  function send(activity: ActivityName, batch: Batch): void {
    open.delete(activity);
    check(activity, [...batch.ids], batch.known).then(batch.done.resolve, batch.done.reject);
  }
}
