import type { ActivityErrorFields } from "../../model/activity-error.ts";
import { type BatchOperation, type BatchSpec, describeSource } from "../spec/request.ts";

export const BATCH_STATES = [
  "planned",
  "running",
  "pausing",
  "paused",
  "cancelling",
  "cancelled",
  "failing",
  "failed",
  "completed",
] as const;
/** `planned` waits for `confirm()`; cancelled, failed and completed are final. */
export type BatchState = (typeof BATCH_STATES)[number];

/** True where nothing more will happen by itself. */
export function isAtRest(state: BatchState): boolean {
  return hasEnded(state) || state === "planned";
}

export function hasEnded(state: BatchState): boolean {
  return state === "completed" || state === "cancelled" || state === "failed";
}

/** What a dry run found out. */
export type BatchPlan = {
  readonly objects: number;
  readonly bytes: number;
  /** Objects whose destination exists already. Counted by listing the destination beside the source. */
  readonly collisions: number;
  /** Objects above 5 GiB, which are copied in parts. */
  readonly over5GiB: number;
  readonly archived: number;
  /** Objects that cannot be worked on: malformed manifest lines, unsafe keys, keys that the policy denies. */
  readonly refused: number;
  /** Requests that the run will make, as far as the listing tells. */
  readonly requests: number;
  /** Until when it can be confirmed. */
  readonly expiresAt: string;
};

/** What is known of a batch. Always `listed >= succeeded + failed + skipped + unattempted`; equal once it has ended. */
export type BatchStatus = {
  readonly id: string;
  readonly state: BatchState;
  readonly operation: BatchOperation;
  readonly spec: BatchSpec;
  readonly priority: number;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** When the first failure of an object was told, and when the last was counted: with its chunk. */
  readonly firstFailureAt?: string;
  readonly lastFailureAt?: string;
  /** Since when it is paused. */
  readonly pausedAt?: string;
  /** Objects found and taken on so far. */
  readonly listed: number;
  readonly listedBytes: number;
  /** Objects that did not match the filter; not part of `listed`. */
  readonly filtered: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly skipped: number;
  /** Objects that a cancelled or failed batch did not get to. */
  readonly unattempted: number;
  /** Bytes of the objects that succeeded. */
  readonly bytes: number;
  /** How many objects there are in all, where it can be known. */
  readonly total?: number;
  /** Failed objects by error code. */
  readonly errors: Readonly<Record<string, number>>;
  /** Requests sent to the store so far, repeats included: listings; looks at buckets, objects and tags; all that copies, parts and reads of content too; deletes. */
  readonly requests: { readonly list: number; readonly head: number; readonly copy: number; readonly delete: number };
  /** Which cap ended it. */
  readonly capped?: "maxObjects" | "maxBytes";
  readonly note?: string;
  /** Why it failed. */
  readonly error?: ActivityErrorFields;
  /** What holds it up just now; it goes away when work goes on. */
  readonly trouble?: ActivityErrorFields & { readonly at: string };
  readonly plan?: BatchPlan;
  /** The batch whose failed objects this one repeats. */
  readonly retryOf?: string;
};

type Hash = Readonly<Record<string, string>>;

/** What chunks in work have done so far, all together: each has a line of `succeeded,failed,skipped,bytes`. */
export function liveCounts(lines: readonly string[]) {
  const counts = lines.map((line) => line.split(",").map(Number));
  const sum = (index: number): number => counts.reduce((total, one) => total + (one[index] ?? 0), 0);
  return { succeeded: sum(0), failed: sum(1), skipped: sum(2), bytes: sum(3) };
}

/** Objects a second as they are stored; 0 stands for no limit. */
export function rateOf(stored: string): number | undefined {
  const rate = Number(stored);
  return rate > 0 ? rate : undefined;
}

/** What was asked for, with the rate that was set since. */
export function withRate(spec: BatchSpec, stored: string | null | undefined): BatchSpec {
  if (stored === null || stored === undefined) return spec;
  const rate = rateOf(stored);
  const held = { ...spec };
  delete held.maxObjectsPerSecond;
  return { ...held, ...(rate !== undefined && { maxObjectsPerSecond: rate }) };
}

/** Reads the stored form. `live` holds what chunks in work have done so far. */
export function readStatus(record: Hash, live: Hash, errors: Hash): BatchStatus {
  const count = (field: string): number => Number(record[field] ?? 0);
  const working = liveCounts(Object.values(live));
  const spec = withRate(specOf(record["spec"]), record["rate"]);
  const completed = record["state"] === "completed" ? record["listed"] : undefined;
  const total =
    completed ??
    record["total"] ??
    (record["opened"] === "1" && record["chainsOpen"] === "0" ? record["listed"] : undefined);
  return {
    id: record["id"] ?? "",
    state: record["state"] as BatchState, // only the scripts write it
    operation: spec.operation,
    spec,
    priority: count("priority"),
    createdAt: instant(record["createdAt"]) ?? "",
    ...optional("startedAt", instant(record["startedAt"])),
    ...optional("endedAt", instant(record["endedAt"])),
    ...optional("firstFailureAt", instant(record["firstFailureAt"])),
    ...optional("lastFailureAt", instant(record["lastFailureAt"])),
    ...optional("pausedAt", instant(record["pausedAt"])),
    listed: count("listed"),
    listedBytes: count("listedBytes"),
    filtered: count("filtered"),
    succeeded: count("succeeded") + working.succeeded,
    failed: count("failed") + working.failed,
    skipped: count("skipped") + working.skipped,
    unattempted: count("unattempted"),
    bytes: count("bytes") + working.bytes,
    ...optional("total", total === undefined ? undefined : Number(total)),
    errors: Object.fromEntries(Object.entries(errors).map(([code, failures]) => [code, Number(failures)])),
    requests: { list: count("rq:list"), head: count("rq:head"), copy: count("rq:copy"), delete: count("rq:delete") },
    ...optional("capped", record["capped"] as "maxObjects" | "maxBytes" | undefined), // only commit-chunk writes it
    ...optional("note", notes(record, spec)),
    ...optional("error", fields(record["error"])),
    ...optional("trouble", fields(record["trouble"]) as BatchStatus["trouble"]), // written with `at` by noteTrouble
    ...optional("plan", record["plannedAt"] === undefined ? undefined : readPlan(record, spec)),
    ...optional("retryOf", record["retryOf"]),
  };
}

/** Written by create-batch after it was parsed. Throws where another hand wrote it. */
function specOf(json: string | undefined): BatchSpec {
  const spec: unknown = JSON.parse(json ?? "");
  const { operation, source, label } = Object(spec) as Readonly<Record<string, unknown>>; // any value has properties then
  const items = typeof source === "object" && source !== null && "items" in source ? source.items : [];
  const isNamed = label === undefined || typeof label === "string";
  if (
    typeof operation !== "string" ||
    typeof source !== "object" ||
    source === null ||
    !Array.isArray(items) ||
    !isNamed
  )
    throw new TypeError("expected the request of a batch");
  return spec as BatchSpec; // as far as anything here depends on it
}

function notes(record: Hash, spec: BatchSpec): string | undefined {
  const told = [record["note"] ?? emptyNote(record, spec), rollbackNote(record)].filter((note) => note !== undefined);
  return told.length === 0 ? undefined : told.join("; ");
}

/** Its objects are accounted for; what was asked of the batch in that time, such as a pause or a cancel, may be forgotten. */
function rollbackNote({ takenUpAgain }: Hash): string | undefined {
  if (takenUpAgain === undefined) return undefined;
  return `Redis went back in time: ${takenUpAgain} chunks that it had forgotten were taken up again from the document store`;
}

function emptyNote(record: Hash, spec: BatchSpec): string | undefined {
  const empty = record["listed"] === undefined || record["listed"] === "0";
  return empty && record["state"] === "completed" ? `no object matches ${describeSource(spec)}` : undefined;
}

function readPlan(record: Hash, spec: BatchSpec): BatchPlan {
  const count = (name: string): number => Number(record[`plan:${name}`] ?? 0);
  return {
    objects: count("objects"),
    bytes: count("bytes"),
    collisions: count("collisions"),
    over5GiB: count("over5GiB"),
    archived: count("archived"),
    refused: count("refused"),
    requests: count("requests"),
    expiresAt: new Date(Number(record["plannedAt"]) + spec.retention * 1000).toISOString(),
  };
}

function instant(ms: string | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(Number(ms)).toISOString();
}

/** What ActivityError.toJSON is. Throws where another hand wrote it. */
function fields(json: string | undefined): ActivityErrorFields | undefined {
  if (json === undefined) return undefined;
  const error = JSON.parse(json) as Partial<ActivityErrorFields> | null;
  if (typeof error?.code !== "string" || typeof error.message !== "string") throw new TypeError("expected an error");
  return error as ActivityErrorFields; // it has what is shown
}

function optional<Name extends string, Value>(name: Name, value: Value | undefined): { [N in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [N in Name]?: Value }); // a computed key widens to string
}
