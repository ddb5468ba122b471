import type { ConnectionOptions } from "bullmq";
import { type Cluster, Redis, type RedisOptions } from "ioredis";
import { ActivityError } from "../model/activity-error.ts";
import { withoutCommand } from "./without-command.ts";
import { connectionProblem, isMissingDatabase, isRefusal } from "./connection-problem.ts";

/** Where Redis is: a URL, ioredis options, or an ioredis instance, which stays the caller's to close. */
export type RedisLocation = string | RedisOptions | Redis | Cluster;

/** One connection for commands, shared by all queues of a producer. */
export type RedisConnection = {
  readonly client: Redis | Cluster;
  /** For connections that block: BullMQ makes its own of it, and they never give up on a command. */
  readonly blocking: ConnectionOptions;
  /**
   * Runs an operation on a Redis that answers. A lost connection is waited for, and the operation, which has to be safe to repeat, is
   * repeated; what is not done after the connection's timeout rejects with `RedisUnavailable`.
   */
  run<T>(what: string, operation: (client: Redis | Cluster) => Promise<T>): Promise<T>;
  /** Calls back whenever Redis came back, and once for each outage that outlasts the timeout. */
  watch(on: { readonly ready: () => void; readonly lost: (error: ActivityError) => void }): void;
  /** Refuses new operations with `ProducerClosed`; resolves when none is under way any more. */
  drain(): Promise<void>;
  close(): Promise<void>;
};

/** Before an operation is repeated on a client that fails at once although it calls itself ready. */
const REPEAT_AFTER_MS = 50;

/** Connects lazily: the first operation opens the connection. `timeout` is in milliseconds. */
export function openRedis(location: RedisLocation, timeout: number): RedisConnection {
  const owned = !isInstance(location);
  const client = owned ? connect(location) : location;
  refuseKeyPrefix(client);
  const state = {
    closed: false,
    lastError: undefined as Error | undefined,
    missingDatabase: undefined as Error | undefined,
  };
  let outage: NodeJS.Timeout | undefined;
  const underWay = new Set<Promise<unknown>>();
  let watcher: Parameters<RedisConnection["watch"]>[0] | undefined;

  const unavailable = (what: string, cause: unknown = state.lastError) => {
    // Redis answers, and lets nobody in: a wrong password, a database that it does not have. Waiting does not mend that.
    if (isRefusal(cause)) return new ActivityError("RedisRefused", `${what}: ${cause.message}`, { cause });
    return new ActivityError("RedisUnavailable", `${what}: Redis did not answer within ${timeout} ms${reason(cause)}`, {
      retryable: true,
      cause,
    });
  };
  const listeners = {
    // Without a listener ioredis prints each failed attempt; the error becomes the cause of what it fails.
    error: (error: Error) => {
      state.lastError = withoutCommand(error);
      if (isMissingDatabase(error)) state.missingDatabase = state.lastError;
    },
    close: () => {
      state.missingDatabase = undefined;
      outage ??= setTimeout(() => watcher?.lost(unavailable("wait for a result")), timeout);
    },
    ready: () => {
      const isBack = outage !== undefined;
      clearTimeout(outage);
      outage = undefined;
      state.lastError = undefined;
      if (isBack) watcher?.ready();
    },
  };
  for (const [event, listener] of Object.entries(listeners)) client.on(event, listener);

  return {
    client,
    blocking: client.isCluster ? blockingCluster(client as Cluster) : blockingOptions(client as Redis), // isCluster says which
    run: async (what, operation) => {
      if (state.closed) throw closedError(what);
      const work = withDeadline(timeout, unavailable.bind(undefined, what), (signal) =>
        repeat(
          client,
          async (connected) => {
            // ioredis goes on in database 0, where the jobs would meet no worker.
            if (state.missingDatabase) throw unavailable(what, state.missingDatabase);
            return await operation(connected);
          },
          signal,
        ),
      );
      underWay.add(work);
      try {
        return await work;
      } finally {
        underWay.delete(work);
      }
    },
    watch: (on) => void (watcher = on),
    drain: async () => {
      state.closed = true;
      await Promise.allSettled(underWay);
    },
    close: async () => {
      clearTimeout(outage);
      for (const event of ["close", "ready"] as const) client.off(event, listeners[event]);
      if (owned) await end(client, timeout);
      client.off("error", listeners.error);
    },
  };
}

/** What every call on a closed producer rejects with. */
export function closedError(what: string): ActivityError {
  return new ActivityError("ProducerClosed", `${what}: the producer was closed`);
}

function isInstance(location: RedisLocation): location is Redis | Cluster {
  return typeof location === "object" && "defineCommand" in location && typeof location.defineCommand === "function";
}

function connect(location: string | RedisOptions): Redis {
  // A command is repeated until it is answered; how long a caller waits for that is bounded by `run`.
  const options = { lazyConnect: true, maxRetriesPerRequest: null, replyMapping: "legacy" } as const;
  if (typeof location !== "string") return new Redis({ ...location, ...options });
  const protocol = URL.canParse(location) ? new URL(location).protocol : undefined;
  if (protocol === undefined || !["redis:", "rediss:"].includes(protocol))
    throw new ActivityError("InvalidInput", "redis: expected a URL such as redis://127.0.0.1:6379", { field: "redis" });
  return new Redis(location, options);
}

function refuseKeyPrefix(client: Redis | Cluster): void {
  if (!client.options.keyPrefix) return;
  throw new ActivityError("InvalidInput", "redis: expected no keyPrefix; set the producer's own option `prefix`", {
    field: "redis.keyPrefix",
  });
}

function blockingOptions(client: Redis): ConnectionOptions {
  const options: RedisOptions = {
    ...client.options,
    lazyConnect: false,
    maxRetriesPerRequest: null,
    replyMapping: "legacy",
  };
  return options as ConnectionOptions; // the same type, but for how absent options are written
}

function blockingCluster(client: Cluster): Cluster {
  const redisOptions = { ...client.options.redisOptions, maxRetriesPerRequest: null, replyMapping: "legacy" } as const;
  // BullMQ duplicates an instance that it is given, so this one never connects.
  return client.duplicate(undefined, { ...client.options, lazyConnect: true, redisOptions });
}

/** Runs `work` until it ends or the time is up; the signal tells it to stop trying. */
async function withDeadline<T>(
  timeout: number,
  expired: (cause?: unknown) => ActivityError,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = expired();
      controller.abort(error);
      reject(error);
    }, timeout);
  });
  try {
    return await Promise.race([work(controller.signal), deadline]);
  } finally {
    clearTimeout(timer);
  }
}

async function repeat<T>(
  client: Redis | Cluster,
  operation: (client: Redis | Cluster) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  for (;;) {
    if (!isReady(client)) await becomesReady(client, signal);
    try {
      return await operation(client);
    } catch (error) {
      const problem = connectionProblem(error);
      if (problem !== "transient") throw problem ?? error;
      signal.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, REPEAT_AFTER_MS));
    }
  }
}

function isReady(client: Redis | Cluster): boolean {
  // A cluster is connected as soon as it says `connect`.
  return client.status === "ready" || (client.status === "connect" && client.isCluster);
}

/** The wait of each client for its connection, shared by all operations, however many there are. */
const becoming = new WeakMap<Redis | Cluster, Promise<void>>();

async function becomesReady(client: Redis | Cluster, signal: AbortSignal): Promise<void> {
  if (client.status === "end")
    throw new ActivityError("RedisUnavailable", "the connection to Redis was closed", { retryable: true });
  const ready = becoming.get(client) ?? nextReady(client).finally(() => becoming.delete(client));
  becoming.set(client, ready);
  // A failed first attempt is an `error` event too, and ioredis goes on trying.
  if (client.status === "wait") client.connect().catch(() => {});
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason as ActivityError); // made in withDeadline
  signal.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([ready, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function nextReady(client: Redis | Cluster): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const ended = () =>
    reject(new ActivityError("RedisUnavailable", "the connection to Redis ended", { retryable: true }));
  client.once("ready", resolve).once("end", ended);
  return promise.finally(() => void client.off("ready", resolve).off("end", ended));
}

function reason(cause: unknown): string {
  return cause instanceof Error && cause.message !== "" ? ` (${cause.message})` : "";
}

async function end(client: Redis | Cluster, timeout: number): Promise<void> {
  if (isReady(client)) {
    try {
      await withDeadline(
        timeout,
        () => new ActivityError("RedisUnavailable", "quit was not answered"),
        () => client.quit(),
      );
      return;
    } catch {
      // A connection that cannot say goodbye is cut below.
    }
  }
  client.disconnect();
}
