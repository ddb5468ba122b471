import { setTimeout as sleep } from "node:timers/promises";
import type { DocumentStore } from "../documents/interface.ts";
import { ActivityError } from "../model/activity-error.ts";
import { type BatchQueue, wantedBatchJobs } from "./state/queue.ts";
import { csvLines, readReport, type ReportOptions } from "./report/read-rows.ts";
import { type BatchProgress, waitForRest, watchProgress, type WatchOptions } from "./report/progress.ts";
import { batchFields, MAX_PRIORITY } from "./spec/fields.ts";
import type { BatchSpecInput } from "./spec/request.ts";
import { type BatchState, type BatchStatus, hasEnded } from "./state/status.ts";
import type { Throughput } from "./state/history.ts";
import type { Steering } from "./state/steer.ts";
import type { BatchStore } from "./state/store.ts";
import { releaseRanges } from "./state/claim-ranges.ts";
import { healBatch } from "./state/heal.ts";
import type { ReportRow } from "./report/row.ts";
import { retrySource } from "./report/retry-source.ts";

/** A worker that heard nothing for so long deletes nothing more, in ms; see the deadline of a job's lock. */
const DELETES_STOP_MS = 8000;

/**
 * Why a batch is steered: one line of at most 500 characters, for the record of acts.
 *
 * @example
 * const options: import("bucketline").SteerOptions = { reason: "ticket 12" };
 * await batch.pause(options);
 */
export type SteerOptions = { readonly reason?: string | undefined };

/** A batch, from any process. Holds no resource and may be dropped. Every call may throw `BatchNotFound` and `RedisUnavailable`. */
export type BatchHandle = {
  readonly id: string;
  /**
   * Its state and its counts now.
   *
   * @example
   * const { state, listed, succeeded, failed } = await batch.status();
   * console.log(state, listed, succeeded, failed);
   */
  status(): Promise<BatchStatus>;
  /**
   * Looks every half second until the batch is at rest; that look is the last one.
   *
   * @example
   * for await (const { listed, succeeded } of batch.progress()) console.log(succeeded, "of", listed);
   */
  progress(options?: WatchOptions): AsyncIterable<BatchProgress>;
  /**
   * Waits until nothing more will happen by itself: completed, cancelled, or planned. Rejects with the batch's own error where it failed as a whole.
   *
   * @example
   * console.log((await batch.done({ signal: AbortSignal.timeout(3_600_000) })).state);
   */
  done(options?: { readonly signal?: AbortSignal | undefined }): Promise<BatchStatus>;
  /**
   * Starts no more objects, within 2 s; what is done so far is kept. Resolves when that is asked for.
   *
   * @example
   * await batch.pause({ reason: "the store is slow" });
   */
  pause(options?: SteerOptions): Promise<BatchState>;
  /**
   * Goes on where it was paused.
   *
   * @example
   * await batch.resume();
   */
  resume(options?: SteerOptions): Promise<BatchState>;
  /**
   * Ends the batch. Resolves once nothing is deleted any more: when workers at work on it have stopped, or can have heard nothing for 8 s. What was
   * not attempted gets a row that says so.
   *
   * @example
   * console.log(await batch.cancel());
   */
  cancel(options?: SteerOptions): Promise<BatchState>;
  /**
   * Starts exactly what a dry run planned. Throws `PlanExpired`, and `NotPlanned` for a batch that is no plan.
   *
   * @example
   * const plan = await producer.batches.start({ operation: "delete", source: { bucket: "tmp" }, dryRun: true });
   * await plan.done();
   * await plan.confirm();
   */
  confirm(options?: SteerOptions): Promise<void>;
  /**
   * 1 goes first, 2,000 last. Holds for chunks that wait, and for all that follow.
   *
   * @example
   * await batch.setPriority(1);
   */
  setPriority(priority: number): Promise<void>;
  /**
   * Objects a second from now on, over all workers; `undefined` lifts the limit. Chunks at work hear of it within half a second.
   *
   * @example
   * await batch.setRate(100, { reason: "the store is slow" });
   */
  setRate(maxObjectsPerSecond: number | undefined, options?: SteerOptions): Promise<void>;
  /**
   * The rows, one for each object; while the batch runs, those of finished chunks.
   *
   * @example
   * for await (const { key, status, code } of batch.report({ only: "failed" })) console.log(key, status, code);
   */
  report(options?: ReportOptions): AsyncIterable<ReportRow>;
  /**
   * Lines of CSV in the columns of S3 Batch Operations' completion report.
   *
   * @example
   * for await (const line of batch.reportCsv({ header: true })) process.stdout.write(line);
   */
  reportCsv(options?: ReportOptions & { readonly header?: boolean | undefined }): AsyncIterable<string>;
  /**
   * Starts a batch over the objects that failed. Throws `NothingToRetry`, and `BatchNotEnded` before the end.
   *
   * @example
   * const again = await batch.retryFailed();
   * console.log((await again.done()).failed);
   */
  retryFailed(options?: {
    readonly includeUnattempted?: boolean | undefined;
    readonly signal?: AbortSignal | undefined;
  }): Promise<BatchHandle>;
  /**
   * The newest failures, at most 100, newest first.
   *
   * @example
   * for (const { key, code, message } of await batch.recentFailures()) console.log(key, code, message);
   */
  recentFailures(): Promise<ReportRow[]>;
  /**
   * The last hour in steps of five seconds; steps without any progress are left out.
   *
   * @example
   * console.log((await batch.throughput()).length);
   */
  throughput(): Promise<Throughput[]>;
};

export type HandleContext = {
  /** Runs an operation on a Redis that answers; it is repeated where the connection was lost. */
  readonly run: <Result>(
    what: string,
    operation: (at: { readonly store: BatchStore; readonly queue: BatchQueue }) => Promise<Result>,
  ) => Promise<Result>;
  readonly documents: Pick<DocumentStore, "find" | "read" | "write">;
  readonly start: (spec: BatchSpecInput, options: { readonly retryOf: string }) => Promise<BatchHandle>;
};

export function createBatchHandle(context: HandleContext, id: string): BatchHandle {
  const { run } = context;
  const status = async (): Promise<BatchStatus> =>
    found(id, await run(`status of batch ${id}`, ({ store }) => store.status(id)));
  return {
    id,
    status,
    progress: (options) => watchProgress(status, options),
    async done(options) {
      const ended = await waitForRest(status, options);
      if (ended.state === "failed" && ended.error !== undefined) throw ActivityError.fromJSON(ended.error);
      return ended;
    },
    pause: () => steer(context, id, "pause"),
    resume: () => steer(context, id, "resume"),
    async cancel() {
      await cancel(context, id);
      return (await status()).state;
    },
    confirm: () => confirm(context, id, status),
    setPriority: (priority) => setPriority(context, id, priority),
    setRate: (rate) => setRate(context, id, rate),
    report: (options = {}) => rows(context, id, options),
    reportCsv: ({ header, ...options } = {}) => csvLines(rows(context, id, options), { header: header ?? true }),
    retryFailed: async (options = {}) => retryFailed(context, await status(), options),
    recentFailures: () => run(`failures of batch ${id}`, ({ store }) => store.recentFailures(id)),
    throughput: () => run(`throughput of batch ${id}`, ({ store }) => store.throughput(id)),
  };
}

async function confirm({ run }: HandleContext, id: string, status: () => Promise<BatchStatus>): Promise<void> {
  const answer = await run(`confirm batch ${id}`, async ({ store, queue }) => {
    const answered = await store.confirm(id);
    await healBatch(store, queue, id);
    return answered;
  });
  if (answer === "confirmed") return;
  if (answer === "gone") throw notFound(id);
  if (answer === "expired")
    throw new ActivityError("PlanExpired", `the plan of batch ${id} is too old to be confirmed; make a new one`);
  const { plan, state } = await status();
  // Asked again after an answer that was lost.
  if (plan !== undefined && state !== "cancelled") return;
  throw new ActivityError("NotPlanned", `expected batch ${id} to be planned by a dry run, it is ${answer}`);
}

async function setPriority({ run }: HandleContext, id: string, priority: number): Promise<void> {
  if (!Number.isInteger(priority) || priority < 1 || priority > MAX_PRIORITY)
    throw new ActivityError(
      "InvalidInput",
      `priority: expected an integer from 1 to ${MAX_PRIORITY}, got ${priority}`,
      {
        field: "priority",
      },
    );
  await run(`set the priority of batch ${id}`, async ({ store, queue }) => {
    await store.note(id, { priority });
    const wanted = found(id, await store.wanted(id));
    await queue.setPriority(wantedBatchJobs(id, { ...wanted, priority }));
  });
}

async function setRate({ run }: HandleContext, id: string, given: number | undefined): Promise<void> {
  const parsed = batchFields.maxObjectsPerSecond.safeParse(given);
  if (!parsed.success)
    throw new ActivityError(
      "InvalidInput",
      `maxObjectsPerSecond: expected a number above 0, at most 1,000,000, got ${given}`,
      {
        field: "maxObjectsPerSecond",
      },
    );
  // A note makes no record where there is none.
  await run(`set the rate of batch ${id}`, async ({ store }) => {
    found(id, await store.spec(id));
    await store.note(id, { rate: given ?? 0 });
  });
}

async function retryFailed(
  context: HandleContext,
  ended: BatchStatus,
  { includeUnattempted = false, signal }: NonNullable<Parameters<BatchHandle["retryFailed"]>[0]>,
): Promise<BatchHandle> {
  const { id, state } = ended;
  if (!hasEnded(state))
    throw new ActivityError(
      "BatchNotEnded",
      `expected batch ${id} to have ended before its failures are repeated, it is ${state}`,
    );
  const only = includeUnattempted ? (["failed", "unattempted"] as const) : ("failed" as const);
  const spec = await retrySource(ended, rows(context, id, { only, signal }), context.documents);
  return await context.start(spec, { retryOf: id });
}

async function steer({ run }: HandleContext, id: string, what: Steering): Promise<BatchState> {
  return await run(`${what} batch ${id}`, async ({ store, queue }) => {
    const states = found(id, await store.steer(id, what));
    // Chunks that a pause put aside are taken up again, or get their end.
    if (what !== "pause") await healBatch(store, queue, id);
    return states.after;
  });
}

/** Asks for the end, and waits until no worker can delete any more, so that what was moved may be moved back at once. */
async function cancel(context: HandleContext, id: string): Promise<void> {
  const { run } = context;
  let state = await steer(context, id, "cancel");
  for (let wait = 20, waited = 0; state === "cancelling" && waited < DELETES_STOP_MS; wait = Math.min(500, wait * 2)) {
    await sleep(wait);
    waited += wait;
    state = await run(`cancel batch ${id}`, async ({ store }) => {
      const { state: now } = await store.glance(id);
      return now === "cancelling" && (await store.busy(id)) === 0 ? "cancelled" : (now ?? "cancelled");
    });
  }
  await run(`cancel batch ${id}`, ({ store }) => releaseRanges(store, id));
}

async function* rows({ run, documents }: HandleContext, id: string, options: ReportOptions): AsyncGenerator<ReportRow> {
  const store = await run(`report of batch ${id}`, async (at) => {
    found(id, await at.store.spec(id));
    return at.store;
  });
  yield* readReport(store, documents, { ...options, batch: id });
}

function found<Value>(id: string, value: Value | undefined): Value {
  if (value === undefined) throw notFound(id);
  return value;
}

function notFound(id: string): ActivityError {
  return new ActivityError("BatchNotFound", `no batch ${id}; ended ones are kept for their retention`);
}
