import { buffer } from "node:stream/consumers";
import { z } from "zod";
import type { DocumentPointer } from "../../model/entities.ts";
import { ActivityError } from "../../model/activity-error.ts";
import type {
  ActivityEntity,
  ActivityName,
  ActivityResult,
  Contract,
  ListActivityName,
  ListResult,
} from "../../jobs/contracts.ts";
import type { RedisKeys } from "../../redis/keys.ts";
import type { ActOptions, Recorder } from "../audit/recorder.ts";
import { cancelJob } from "./cancel.ts";
import type { Documents } from "../documents.ts";
import { followProgress, type JobProgress } from "./progress.ts";
import { readOutcomes } from "./outcome.ts";
import type { JobWaits, WaitOptions } from "./waits.ts";
import { type ListActivity, listEntities, parseStored, wholeList } from "./list-result.ts";
import { parseOptions } from "../../jobs/parse-input.ts";
import type { QueuePool } from "../queue-pool.ts";
import type { RedisConnection } from "../../redis/connection/open.ts";

/**
 * Where a job is. `waiting`: for a worker; `delayed`: for its time, or for another attempt; `cancelled`: also where a running job was
 * stopped by a cancel; `expired`: it is not in Redis, because it ended and its retention is over, or it never was there, or its queue was lost.
 */
export type JobState = "waiting" | "delayed" | "active" | "completed" | "failed" | "cancelled" | "expired";

type AnyJob<Name extends ActivityName> = {
  readonly id: string;
  readonly activity: Name;
  /**
   * Waits for the job's end and resolves to its result; a list is whole, wherever it was stored. Rejects with the `ActivityError` that the job
   * failed with, and with `Cancelled`, `WaitTimeout`, `JobExpired`, `RedisUnavailable`, `ListTooLong`, an error of the document
   * store, or the signal's reason. Without a timeout it waits for as long as it takes.
   *
   * @example
   * const job = await producer.enqueue("head-object", { object: { bucket: "inbox", key: "a.txt" } });
   * const { object } = await job.result({ timeout: 30_000 });
   * console.log(object.size, object.etag);
   */
  result(options?: WaitOptions): Promise<ActivityResult<Name>>;
  /**
   * Waits for the job's end and tells whether it did what was asked, proven. False for a job that failed or was cancelled; rejects where the
   * end is not known: `WaitTimeout`, `JobExpired`, `RedisUnavailable`, the signal's reason.
   *
   * @example
   * if (!(await job.succeeded({ timeout: 30_000 }))) console.log("it failed, or was cancelled");
   */
  succeeded(options?: WaitOptions): Promise<boolean>;
  /**
   * Iterates how far the job is with the bytes that it moves, at most once a second, until it ends. Nothing comes of jobs that are over within a
   * second, or that move none. Throws `WaitTimeout`, `RedisUnavailable` or the signal's reason; how the job ended is for {@link result} to say.
   *
   * @example
   * for await (const { bytes, of } of job.progress()) console.log(`${Math.round((100 * bytes) / of)} %`);
   */
  progress(options?: WaitOptions): AsyncIterable<JobProgress>;
  /**
   * Where the job is now.
   *
   * @example
   * console.log(await job.state());
   */
  state(): Promise<JobState>;
  /**
   * Cancels the job, from any process. True: one that was not running will not run any more; a running one was told to stop, and
   * ends with `Cancelled` unless it got to its end first. False: it had ended, or is not there; nothing was changed.
   *
   * @example
   * if (!(await job.cancel({ reason: "the customer left" }))) console.log("too late");
   */
  cancel(options?: ActOptions): Promise<boolean>;
};

type ListJob<Name extends ListActivityName> = {
  /**
   * Waits for the job's end and iterates the list, one entity at a time, whether it is on the job or in a document: memory
   * does not grow with it. Throws what {@link JobHandle.result} rejects with, but never `ListTooLong`. A document that proves
   * to be damaged throws at its end.
   *
   * @example
   * const job = await producer.enqueue("list-objects", { bucket: "inbox" });
   * for await (const { key } of job.entities()) console.log(key);
   */
  entities(options?: WaitOptions): AsyncIterable<ActivityEntity<Name>>;
};

/** A job that was enqueued; typed by its activity. It holds no resource and may be dropped. */
export type JobHandle<Name extends ActivityName = ActivityName> = AnyJob<Name> &
  (Name extends ListActivityName ? ListJob<Name> : unknown);

export type JobContext = {
  readonly redis: RedisConnection;
  readonly queues: QueuePool;
  readonly keys: RedisKeys;
  readonly waits: JobWaits;
  readonly documents: Documents;
  readonly record: Recorder;
};

/** How often a job that seems to end just now is looked at. */
const MAX_LOOKS = 10;

/** Node's longest timer. */
const MAX_TIMEOUT_MS = 2_147_483_647;

export const WaitFields = {
  timeout: z.number().min(0).max(MAX_TIMEOUT_MS).optional(),
  signal: z.instanceof(AbortSignal).optional(),
};
const WaitOptionsSchema = z.strictObject(WaitFields);

export function createJobHandle<Name extends ActivityName>(
  context: JobContext,
  contract: Contract & { readonly name: ActivityName },
  id: string,
): JobHandle<Name> {
  const { name: activity } = contract;
  const ended = async (options: WaitOptions = {}) =>
    await context.waits.wait(activity, id, parseOptions(`wait for ${activity}/${id}`, WaitOptionsSchema, options));
  const stored = async (options?: WaitOptions) => {
    const end = await ended(options);
    if (end.kind === "failed") throw end.error;
    return parseStored(contract, end.value);
  };

  const job: AnyJob<ActivityName> & { entities: (options?: WaitOptions) => AsyncIterable<unknown> } = {
    id,
    activity,
    result: async (options) => {
      const value = await stored(options);
      const reading = { ...context, signal: options?.signal };
      const result = isList(contract)
        ? await wholeList(contract, value as ListResult, reading) // parsed as such
        : contract.secret === undefined
          ? value
          : await readSecret({ ...contract, secret: contract.secret }, value, reading);
      return result as ActivityResult<ActivityName>; // its contract parsed it
    },
    entities: async function* (options) {
      if (!isList(contract)) throw new ActivityError("InvalidInput", `${activity} returns no list; use result()`);
      yield* listEntities(contract, (await stored(options)) as ListResult, { ...context, signal: options?.signal });
    },
    succeeded: async (options) => (await ended(options)).kind === "completed",
    progress: async function* (options) {
      const end = ended(options);
      yield* followProgress({ ...context, activity, id, ended: end });
      await end;
    },
    state: async () => await readState(context, activity, id),
    cancel: async ({ reason } = {}) => {
      const cancelled = await cancelJob(context, activity, id);
      if (cancelled) await context.record({ action: "job.cancel", target: { kind: "job", id, activity }, reason });
      return cancelled;
    },
  };
  return job as unknown as JobHandle<Name>; // `Name` is the contract's name
}

async function readSecret(
  { name, secret }: { readonly name: string; readonly secret: z.ZodType },
  stored: unknown,
  { documents, signal }: { readonly documents: Documents; readonly signal: AbortSignal | undefined },
): Promise<unknown> {
  const { document } = stored as { readonly document: DocumentPointer }; // parsed as such
  const text = await buffer(await documents.read(document, { keep: true, signal }));
  const parsed = secret.safeParse(JSON.parse(text.toString("utf8")));
  if (parsed.success) return parsed.data;
  throw new ActivityError(
    "InvalidResult",
    `${name}: expected its result in document ${document.id}, found something else`,
  );
}

function isList(contract: Contract): contract is ListActivity {
  return contract.list !== undefined;
}

async function readState({ redis, queues, keys }: JobContext, activity: ActivityName, id: string): Promise<JobState> {
  return await redis.run(`state of ${activity}/${id}`, async (client) => {
    const queue = await queues.get(activity);
    for (let looks = 0; looks < MAX_LOOKS; looks++) {
      const [outcome] = await readOutcomes(client, keys, activity, [id]);
      if (outcome?.kind === "completed") return "completed";
      if (outcome?.kind === "failed") return outcome.error.code === "Cancelled" ? "cancelled" : "failed";
      if (outcome?.kind !== "pending") return "expired";
      const state = await queue.getJobState(id);
      if (state === "active" || state === "delayed") return state;
      // Anything else than these and a pending job mean that it ended in between.
      if (state !== "completed" && state !== "failed" && state !== "unknown") return "waiting";
    }
    // Its queue knows nothing of it, as where Redis dropped keys: nobody will ever run it.
    return "expired";
  });
}
