import { z } from "zod";
import { BatchId } from "../../batches/state/keys.ts";
import { CHUNK_QUEUE } from "../../jobs/queues.ts";
import type { RedisClient } from "../../redis/connection/client.ts";
import { queueFields } from "../../redis/cut-fields.ts";
import { redisKeys } from "../../redis/keys.ts";
import { redact, redactText } from "../redact.ts";
import { isForeign } from "../../redis/foreign.ts";
import { errorOf, instant, isMalformed, type JobError, parseJson, type Subject, subjectOf } from "./job-fields.ts";
import { dueOf, times } from "./list-jobs.ts";

/** All that is shown of one job. Secrets are taken out. */
export type JobView = Subject & {
  readonly id: string;
  /** Its queue's name. */
  readonly activity: string;
  readonly state: "waiting" | "active" | "delayed" | "completed" | "failed" | "cancelled";
  readonly input?: unknown;
  readonly result?: unknown;
  readonly error?: JobError;
  readonly malformed?: boolean;
  /** The raw data of a malformed job. */
  readonly raw?: string;
  /** It was asked to stop. */
  readonly cancelRequested?: boolean;
  /** Of one that runs and moves bytes: how many of how many arrived. */
  readonly progress?: { readonly bytes: number; readonly of: number };
  readonly attempts: { readonly made: number; readonly started: number; readonly max?: number };
  readonly priority?: number;
  readonly createdAt?: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly dueAt?: string;
  /** Attempts that failed, the first first, at most the last twenty. */
  readonly tries: readonly FailedTryView[];
  /** The worker that has it, or had it last. */
  readonly worker?: string;
  /** What it belongs to. */
  readonly problem?: string;
  readonly schedule?: string;
  readonly batch?: string;
};

/** An attempt that failed. */
export type FailedTryView = {
  readonly at: string;
  readonly ms: number;
  readonly code: string;
  readonly worker: string;
};

const FIELDS = [
  "data",
  "opts",
  "returnvalue",
  "failedReason",
  "error",
  "timestamp",
  "processedOn",
  "finishedOn",
  "atm",
  "ats",
  "priority",
  "tries",
  "pb",
  "failure",
  "rjk",
  "progress",
] as const;

/** The longest field that is looked at; a job whose input or result is longer is none of ours. */
const FIELD_BYTES = 1024 * 1024;
const RAW_SHOWN = 4096;
const CODE_SHOWN = 256;
const MOST_TRIES = 20;
const Try = z.object({ at: z.number(), ms: z.number(), code: z.string(), worker: z.string() });
const Progress = z.object({ bytes: z.number().nonnegative(), of: z.number().nonnegative() });
const Chunk = z.object({ batch: BatchId });

/** Looks at a job without BullMQ, which throws at jobs that are not JSON. Undefined where there is none. */
export async function readJob(
  redis: RedisClient,
  prefix: string,
  { activity, id }: { readonly activity: string; readonly id: string },
): Promise<JobView | undefined> {
  const keys = redisKeys(prefix);
  const key = (set: string) => keys.job(activity, set);
  const pipeline = redis.pipeline();
  queueFields(pipeline, keys.job(activity, id), FIELDS, FIELD_BYTES);
  const replies = await pipeline
    .zscore(key("delayed"), id)
    .lpos(key("active"), id)
    .get(keys.cancelled(activity, id))
    .hget(keys.quarantine(), `${activity}/${id}`)
    .exec();
  const [fields, delayed, active, flag, quarantined] = (replies ?? []).map(([error, reply]) => {
    // A key of BullMQ's own under that name, such as its list `wait`, is no job.
    if (error && !isForeign(error)) throw error;
    return error ? undefined : reply;
  });
  if (fields === undefined) return undefined;
  const hash = hashOf(fields as (string | null)[]); // HMGET's reply
  const cancelRequested = flag !== null;
  const due = typeof delayed === "string" ? dueOf(delayed) : undefined;
  if (hash.timestamp === null)
    // A cancel removes a job that had not started and leaves its flag.
    return flag === "unstarted"
      ? { id, activity, state: "cancelled", cancelRequested, attempts: { made: 0, started: 0 }, tries: [] }
      : undefined;
  return viewOf({ id, activity }, hash, {
    place: hash.finishedOn !== null ? "finished" : active !== null ? "active" : isDelayed(due) ? "delayed" : "waiting",
    due,
    cancelRequested,
    quarantined: typeof quarantined === "string" ? quarantined : undefined,
  });
}

type Hash = Record<(typeof FIELDS)[number], string | null>;
type Around = {
  readonly place: "finished" | "active" | "delayed" | "waiting";
  /** When a delayed job is due, in ms. */
  readonly due: number | undefined;
  readonly cancelRequested: boolean;
  readonly quarantined: string | undefined;
};

const isDelayed = (due: number | undefined): boolean => due !== undefined && due > Date.now();

function hashOf(fields: readonly (string | null)[]): Hash {
  // One value for each name, in their order.
  return Object.fromEntries(FIELDS.map((name, index) => [name, fields[index] ?? null])) as Hash;
}

function viewOf(asked: { id: string; activity: string }, hash: Hash, around: Around): JobView {
  const { id, activity } = asked;
  const { place, cancelRequested, quarantined } = around;
  const data = parseJson(hash.data);
  const malformed = quarantined !== undefined || isMalformed(hash.data, hash.opts);
  const error = place === "finished" && hash.returnvalue !== null ? undefined : errorOf(hash.error, hash.failedReason);
  const state =
    place !== "finished"
      ? place
      : hash.returnvalue !== null
        ? "completed"
        : error?.code === "Cancelled"
          ? "cancelled"
          : "failed";
  const opts = parseJson(hash.opts);
  const max = typeof opts === "object" && opts !== null && "attempts" in opts ? Number(opts.attempts) : undefined;
  const dueAt = place === "finished" ? undefined : instant(around.due);
  return {
    id,
    activity,
    state,
    ...subjectOf(data),
    ...(data !== undefined && quarantined === undefined && { input: redact(data) }),
    ...(malformed && { malformed, raw: rawOf(quarantined, hash.data) }),
    ...(hash.returnvalue !== null && { result: redact(parseJson(hash.returnvalue)) }),
    ...(error !== undefined && { error }),
    ...(cancelRequested && { cancelRequested }),
    ...(place === "active" && progressOf(hash.progress)),
    attempts: {
      made: Number(hash.atm ?? 0),
      started: Number(hash.ats ?? 0),
      ...(max !== undefined && max > 0 && { max }),
    },
    ...(Number(hash.priority ?? 0) > 0 && { priority: Number(hash.priority) }),
    tries: triesOf(hash.tries),
    ...(hash.pb !== null && { worker: redactText(hash.pb, CODE_SHOWN) }),
    ...(hash.failure !== null && place === "finished" && { problem: `jobs-${hash.failure.slice(0, CODE_SHOWN)}` }),
    ...(hash.rjk !== null && { schedule: redactText(hash.rjk, CODE_SHOWN) }),
    ...(activity === CHUNK_QUEUE && batchOf(data)),
    ...times({ createdAt: hash.timestamp, startedAt: hash.processedOn, finishedAt: hash.finishedOn }),
    ...(dueAt !== undefined && { dueAt }),
  };
}

/** Written by workers, a line each. */
function triesOf(lines: string | null): FailedTryView[] {
  return (lines ?? "")
    .split("\n")
    .slice(0, MOST_TRIES)
    .flatMap((line) => {
      const { data } = Try.safeParse(parseJson(line));
      const at = instant(data?.at);
      return data === undefined || at === undefined
        ? []
        : [{ ...data, at, code: redactText(data.code, CODE_SHOWN), worker: redactText(data.worker, CODE_SHOWN) }];
    });
}

/** BullMQ keeps 0 until a job has told something, and other programs' jobs may tell anything. */
function progressOf(text: string | null): Pick<JobView, "progress"> {
  const { data: progress } = Progress.safeParse(parseJson(text));
  return progress === undefined ? {} : { progress };
}

const batchOf = (data: unknown): { readonly batch?: string } => {
  const { data: chunk } = Chunk.safeParse(data);
  return chunk === undefined ? {} : { batch: chunk.batch };
};

function rawOf(quarantined: string | undefined, data: string | null): string {
  const record = parseJson(quarantined);
  const raw = typeof record === "object" && record !== null && "raw" in record ? String(record.raw) : (data ?? "");
  return redactText(raw, RAW_SHOWN);
}
