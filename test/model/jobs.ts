import type { Job } from "bullmq";
import { pino } from "pino";
import type { Connection } from "../../credentials/connection.ts";
import type { DocumentStore } from "../../documents/interface.ts";
import { ActivityError } from "../../model/activity-error.ts";
import { redisKeys } from "../../redis/keys.ts";
import { openStore } from "../../s3/create.ts";
import type { S3Pool } from "../../s3/pool.ts";
import type { ActivityName } from "../../jobs/contracts.ts";
import { createProcessor, type ProcessorDeps } from "../../worker/attempt/process-job.ts";
import { LOCK_MS } from "../../worker/attempt/running.ts";
import { type Actor, actAs } from "./actor.ts";
import { elapsed, timeOfDay } from "./clock.ts";
import type { ModelRedis } from "./redis.ts";
import type { ModelStore, Place } from "./store.ts";
import { openModelS3 } from "./transport.ts";
import type { Truth } from "./truth.ts";
import type { World } from "./world.ts";

export type ModelJob = {
  readonly id: string;
  readonly activity: Extract<ActivityName, "move-object" | "copy-object" | "delete-object">;
  readonly data: { readonly object: Place; readonly destination?: Place; readonly onConflict?: string };
  readonly timestamp: number;
  /** What lay at its source when it was added. */
  readonly found: number | undefined;
};

type Entry = ModelJob & {
  state: "waiting" | "active" | "ended";
  lockedUntil: number;
  token: string;
  delayedUntil: number;
  attemptsStarted: number;
  attemptsMade: number;
  outcome?: string;
};

const ATTEMPTS = 5;
const keys = redisKeys("model");
const log = pino({ level: "silent" });

export type JobsScene = {
  readonly world: World;
  readonly redis: ModelRedis;
  readonly store: ModelStore;
  readonly truth: Truth;
  readonly connection: Connection;
  /** Told of everything that came to a good end, so that a model in which nothing does is seen. */
  readonly meet: (what: string) => void;
};

/** BullMQ's part, as far as it matters here: a job is given to one worker with a lock, again once that ran out, and ended by who holds it. */
export function createJobs({ world, redis, store, truth, connection, meet }: JobsScene) {
  const entries = new Map<string, Entry>();
  let runs = 0;

  const readyEntries = (): Entry[] =>
    [...entries.values()].filter(
      ({ state, delayedUntil, lockedUntil }) =>
        (state === "waiting" && delayedUntil <= elapsed()) || (state === "active" && lockedUntil <= elapsed()),
    );

  const claim = (): { entry: Entry; token: string } | undefined => {
    const ready = readyEntries();
    if (ready.length === 0) return undefined;
    const entry = world.random.pick(ready);
    const token = `t${++runs}`;
    Object.assign(entry, {
      state: "active",
      lockedUntil: elapsed() + LOCK_MS,
      token,
      attemptsStarted: entry.attemptsStarted + 1,
    });
    return { entry, token };
  };

  /** One delivery of one job; false where there is none to do. */
  async function deliver(): Promise<boolean> {
    const claimed = await redis.ask("take a job", claim);
    if (claimed === undefined) return false;
    const { entry, token } = claimed;
    const by = nameOf(entry, token);
    const s3 = openStore(openModelS3(connection, world, store, { by }));
    const deps: ProcessorDeps = {
      redis: redis.client,
      keys,
      cancellation: { watch: () => Promise.resolve(() => undefined) } as unknown as ProcessorDeps["cancellation"], // nobody cancels a single job here
      log,
      replicas: undefined,
      workerId: "model",
      profileNotes: { failed: () => Promise.resolve(), succeeded: () => Promise.resolve() },
      operationTimeoutMs: 600_000,
      onAttempt: () => undefined,
      profiles: {
        resolve: () => Promise.resolve({ connection, policy: undefined }),
      } as unknown as ProcessorDeps["profiles"], // one profile, which may all
      pool: { get: () => Promise.resolve(s3), close: () => Promise.resolve() } satisfies S3Pool,
      documents: {} as DocumentStore, // moves, copies and deletes have none
      listTtl: 60,
    };
    const { process, running } = createProcessor(entry.activity, deps);
    const renewal = setInterval(() => {
      const sentAt = performance.now();
      const held = redis.ask("renew a lock", () => {
        if (entry.token !== token || entry.state !== "active" || entry.lockedUntil <= elapsed()) return false;
        entry.lockedUntil = elapsed() + LOCK_MS;
        return true;
      });
      const lost = new ActivityError("LockLost", "the lock is another run's", { retryable: true });
      void held.then((is) => (is ? running.confirm(entry.id, token, sentAt) : running.abort(entry.id, lost)));
    }, LOCK_MS / 4);
    const owns = (): boolean => entry.token === token && entry.state === "active";
    const later = (until: number) => () => {
      if (owns()) Object.assign(entry, { state: "waiting", delayedUntil: until });
    };
    const job = {
      id: entry.id,
      data: entry.data,
      opts: { attempts: ATTEMPTS },
      timestamp: entry.timestamp,
      processedOn: Date.now(),
      attemptsMade: entry.attemptsMade,
      attemptsStarted: entry.attemptsStarted,
      moveToDelayed: () => redis.ask("delay a job", later(elapsed() + 1000)),
      moveToWait: () => redis.ask("hand a job over", later(0)),
      updateProgress: () => Promise.resolve(),
    } as unknown as Job; // all that the processor asks of one
    try {
      const result = await process(job, token);
      judge(entry, result, by);
      meet(`${entry.activity} done`);
      await redis.ask("complete a job", () => {
        if (owns()) Object.assign(entry, { state: "ended", outcome: "completed" });
      });
    } catch (error) {
      await redis.ask("fail a job", () => fail(entry, owns(), error));
    } finally {
      clearInterval(renewal);
    }
    return true;
  }

  function fail(entry: Entry, owned: boolean, error: unknown): void {
    const name = error instanceof Error ? error.name : "";
    if (!owned || name === "DelayedError" || name === "WaitingError") return;
    const hopeless = name === "UnrecoverableError" || entry.attemptsMade + 1 >= ATTEMPTS;
    const outcome = error instanceof Error ? error.message : "";
    // Code that asks the model for what it has not.
    const isOurs = error instanceof TypeError || outcome.startsWith("InternalError");
    if (isOurs || outcome.includes("failure of the worker itself")) truth.complain(`job ${entry.id}: ${outcome}`);
    if (hopeless) Object.assign(entry, { state: "ended", outcome });
    else
      Object.assign(entry, { state: "waiting", delayedUntil: elapsed() + 1000, attemptsMade: entry.attemptsMade + 1 });
  }

  /** Success is claimed only with the content at the destination, and none of a move's left at its source. */
  function judge({ activity, data: { object, destination }, found }: Entry, result: unknown, by: string): void {
    const { skipped, object: copy } = result as { skipped?: boolean; object?: { etag: string } }; // as the contracts have it
    if (destination === undefined || skipped === true || copy === undefined) return;
    const was = truth.etagsAt(destination);
    if (!was.has(copy.etag))
      truth.complain(`${by} claims ${copy.etag} at ${destination.bucket}/${destination.key}, where it never was`);
    const left = store.current(object);
    if (activity === "move-object" && left !== undefined && left.id === found)
      truth.complain(`${by} claims to have moved what is still at its source`);
    if (activity === "move-object" && !truth.etagsAt(object).has(copy.etag))
      truth.complain(`${by} claims to have moved what never was at its source`);
  }

  return {
    add(job: Omit<ModelJob, "timestamp" | "found">): void {
      entries.set(job.id, {
        ...job,
        timestamp: timeOfDay(),
        found: store.current(job.data.object)?.id,
        state: "waiting",
        lockedUntil: 0,
        token: "",
        delayedUntil: 0,
        attemptsStarted: 0,
        attemptsMade: 0,
      });
    },
    /** An app that names its jobs itself may use the id of one that has ended. */
    get ended(): Omit<ModelJob, "timestamp" | "found">[] {
      return [...entries.values()]
        .filter(({ state }) => state === "ended")
        .map(({ id, activity, data }) => ({ id, activity, data }));
    },
    get left(): number {
      return [...entries.values()].filter(({ state }) => state !== "ended").length;
    },
    isReady: () => readyEntries().length > 0,
    /** Another worker may have a job that this one still works on. */
    loseALock(): void {
      const active = [...entries.values()].filter(({ state }) => state === "active");
      if (active.length > 0) world.random.pick(active).lockedUntil = 0;
    },
    work: (actor: Actor) => actAs(actor, deliver),
  };
}

function nameOf({ activity, id, data }: ModelJob, token: string): string {
  return `${activity === "delete-object" ? "delete" : activity} ${id} ${token} ${data.onConflict ?? ""}`;
}
