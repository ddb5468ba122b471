import type { RedisClient } from "../../redis/connection/client.ts";
import { z } from "zod";
import { ActivityError, type ActivityErrorFields } from "../../model/activity-error.ts";
import type { RedisKeys } from "../../redis/keys.ts";

/** How a job ended. A cancelled job ended with the error `Cancelled`. */
export type Ended =
  | { readonly kind: "completed"; readonly value: unknown }
  | { readonly kind: "failed"; readonly error: ActivityError };

/** What Redis knows of a job's end. `missing`: there is no such job (any more). */
export type Outcome = Ended | { readonly kind: "pending" } | { readonly kind: "missing" };

/** What a cancel notes: `unstarted` where no attempt was running, so that none will run any more; else `running`. */
export type CancelFlag = "unstarted" | "running";

/** BullMQ's own sentences for a job that was taken up again too often. */
const STALLED = /^job (stalled|started) more than/;

const ErrorFields = z.object({
  code: z.string(),
  message: z.string(),
  retryable: z.boolean(),
  httpStatus: z.number().optional(),
  requestId: z.string().optional(),
  field: z.string().optional(),
});

/** Reads the outcomes of jobs of one activity, in their order, in one round trip. */
export async function readOutcomes(
  client: RedisClient,
  keys: RedisKeys,
  activity: string,
  ids: readonly string[],
): Promise<Outcome[]> {
  const pipeline = client.pipeline();
  for (const id of ids) {
    pipeline.hmget(keys.job(activity, id), "timestamp", "finishedOn", "returnvalue", "failedReason", "error");
    // After the job, so that a job that a cancel removed is never seen without its flag.
    pipeline.get(keys.cancelled(activity, id));
  }
  const replies = ((await pipeline.exec()) ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
  return ids.map((id, index) => {
    const fields = replies[2 * index] as (string | null)[]; // HMGET's reply
    return outcomeOf(`${activity}/${id}`, fields, replies[2 * index + 1] as string | null); // GET's reply
  });
}

function outcomeOf(job: string, fields: readonly (string | null)[], flag: string | null): Outcome {
  const [timestamp, finishedOn, returnValue, failedReason, error] = fields;
  // Failed attempts leave a reason on the job too; only a completed job has a return value.
  if (finishedOn && typeof returnValue === "string") return completed(job, returnValue);
  if (finishedOn) return { kind: "failed", error: failure(failedReason ?? "", error ?? undefined) };
  if (flag === ("unstarted" satisfies CancelFlag)) return { kind: "failed", error: cancelledError(job) };
  return { kind: timestamp ? "pending" : "missing" };
}

function completed(job: string, json: string): Ended {
  try {
    return { kind: "completed", value: JSON.parse(json) as unknown };
  } catch (cause) {
    return { kind: "failed", error: new ActivityError("InvalidResult", `${job}: its result is not JSON`, { cause }) };
  }
}

/** What a job failed with: the error its worker stored, or, where BullMQ itself failed it, one made of its reason. */
export function failure(failedReason: string, storedError?: string): ActivityError {
  const fields = storedError === undefined ? undefined : parseFields(storedError);
  if (fields?.message === failedReason) return ActivityError.fromJSON(fields);
  return new ActivityError(
    STALLED.test(failedReason) ? "JobStalled" : "JobFailed",
    failedReason || "no reason was given",
  );
}

function parseFields(json: string): ActivityErrorFields | undefined {
  try {
    const parsed = ErrorFields.safeParse(JSON.parse(json));
    // zod types absent fields as possibly undefined; JSON has no undefined.
    return parsed.success ? (parsed.data as ActivityErrorFields) : undefined;
  } catch {
    // Whoever wrote it, it is no error of ours; the failed reason is used instead.
    return undefined;
  }
}

export function cancelledError(job: string): ActivityError {
  return new ActivityError("Cancelled", `${job} was cancelled before it ran`);
}
