import { ActivityError } from "../../model/activity-error.ts";
import { refuseUnfit } from "./apps-own.ts";
import { isCluster, isInstance, type RedisClient, type RedisLocation } from "./client.ts";
import { anotherLike, asCluster, connectRedis, cutRedis, endRedis, lastRefusal } from "./connect.ts";
import { isMissingDatabase, isRefusal, meaningOf } from "./problem.ts";
import { isNodeOfCluster, refuseWithoutHashTag } from "./reach.ts";
import { repeatUntilDone, withDeadline } from "./run.ts";
import { trueCause } from "./true-cause.ts";
import { withoutCommand } from "./without-command.ts";

/** One connection for commands, shared by all queues of a producer. */
export type RedisConnection = {
  /** Ask for it anew inside {@link RedisConnection.run}: what looked like one server may turn out to be a cluster. */
  readonly client: RedisClient;
  /** Another connection like it, for commands that block, under a name for `CLIENT LIST`. It tries for ever; whoever opens it cuts it with `cutRedis`. */
  another(name: string): RedisClient;
  /**
   * Runs an operation on a Redis that answers. A lost connection is waited for, and the operation, which has to be safe to repeat, is
   * repeated; what is not done within so many milliseconds (the connection's timeout, unless told) rejects with `RedisUnavailable`.
   */
  run<T>(what: string, operation: (client: RedisClient) => Promise<T>, within?: number): Promise<T>;
  /** Calls back whenever Redis came back, and once for each outage that outlasts the timeout. */
  watch(on: { readonly ready: () => void; readonly lost: (error: ActivityError) => void }): void;
  /** Refuses new operations with `ProducerClosed`; resolves when none is under way any more. */
  drain(): Promise<void>;
  close(): Promise<void>;
};

/** What a connection remembers of its troubles, for the errors that it makes. */
type State = {
  client: RedisClient;
  closed: boolean;
  lastError: unknown;
  missingDatabase: Error | undefined;
  outage: NodeJS.Timeout | undefined;
  watcher: Parameters<RedisConnection["watch"]>[0] | undefined;
};

/**
 * Connects lazily: the first operation opens the connection. `timeout` is in milliseconds. With `prefix`, a URL of one server that turns out to
 * be a node of a cluster leads to the whole cluster.
 */
export function openRedis(location: RedisLocation, timeout: number, prefix?: string): RedisConnection {
  const owned = !isInstance(location);
  // An app's own instance is used as it is: it knows how long its commands may take.
  const client = owned ? connectRedis(location, { lazyConnect: true }) : location;
  refuseUnfit(client);
  if (isCluster(client) && prefix !== undefined) refuseWithoutHashTag(prefix);
  const state: State = {
    client,
    closed: false,
    lastError: undefined,
    missingDatabase: undefined,
    outage: undefined,
    watcher: undefined,
  };
  const underWay = new Set<Promise<unknown>>();
  const unavailable = (what: string, within = timeout) => unavailableError(state, what, within);
  let stopListening = listen(state, () => state.watcher?.lost(unavailable("wait for a result")), timeout);
  const kind = owned && prefix !== undefined ? onceDone(() => followCluster(prefix)) : undefined;

  return {
    get client() {
      return state.client;
    },
    another: (name) => anotherLike(state.client, name),
    run: async (what, operation, within = timeout) => {
      if (state.closed) throw closedError(what);
      const steps = { prepare: kind, operation };
      const expired = () => unavailable(what, within);
      const work = withDeadline(within, expired, (signal) => persist(state, what, steps, signal));
      underWay.add(work);
      return await work.finally(() => underWay.delete(work));
    },
    watch: (on) => void (state.watcher = on),
    drain: async () => {
      state.closed = true;
      await Promise.allSettled(underWay);
    },
    close: async () => {
      stopListening();
      state.client.on("error", ignore);
      if (owned) await endRedis(state.client, timeout);
      if (!owned) state.client.off("error", ignore);
    },
  };

  async function followCluster(keysPrefix: string): Promise<void> {
    const node = state.client;
    if (isCluster(node) || !(await isNodeOfCluster(node))) return;
    refuseWithoutHashTag(keysPrefix);
    stopListening();
    state.client = asCluster(node, { lazyConnect: true });
    stopListening = listen(state, () => state.watcher?.lost(unavailable("wait for a result")), timeout);
    node.on("error", ignore);
    cutRedis(node);
  }
}

type Steps<Result> = {
  readonly prepare: (() => Promise<void>) | undefined;
  readonly operation: (client: RedisClient) => Promise<Result>;
};

/** Runs an operation until Redis has answered it. */
async function persist<Result>(state: State, what: string, steps: Steps<Result>, signal: AbortSignal): Promise<Result> {
  const once = async () => {
    await steps.prepare?.();
    // ioredis goes on in database 0, where the jobs would meet no worker.
    if (state.missingDatabase) throw refusedError(what, state.missingDatabase);
    return await steps.operation(state.client);
  };
  const onTrouble = (error: unknown) => void (state.lastError = withoutCommand(error));
  return await repeatUntilDone(() => state.client, once, { signal, onTrouble });
}

/** What a connection says while it ends is of no interest, and unheard it would be printed. */
function ignore(): void {}

/** Follows what a connection goes through. Returns how to stop. */
function listen(state: State, lost: () => void, timeout: number): () => void {
  const { client } = state;
  const listeners = {
    // Without a listener ioredis prints each failed attempt; the error becomes the cause of what it fails.
    error: (error: Error) => {
      state.lastError = withoutCommand(error);
      if (isMissingDatabase(error)) state.missingDatabase = error;
      void learnCause(state, client, error);
    },
    close: () => {
      state.missingDatabase = undefined;
      state.outage ??= setTimeout(lost, timeout);
    },
    ready: () => {
      const isBack = state.outage !== undefined;
      clearTimeout(state.outage);
      state.outage = undefined;
      state.lastError = undefined;
      if (isBack) state.watcher?.ready();
    },
  };
  for (const [event, listener] of Object.entries(listeners)) client.on(event, listener);
  return () => {
    clearTimeout(state.outage);
    state.outage = undefined;
    for (const [event, listener] of Object.entries(listeners)) client.off(event, listener);
  };
}

async function learnCause(state: State, client: RedisClient, error: Error): Promise<void> {
  const cause = await trueCause(client, error);
  if (state.lastError === error) state.lastError = cause;
}

/** What every call on a closed producer rejects with. */
export function closedError(what: string): ActivityError {
  return new ActivityError("ProducerClosed", `${what}: the producer was closed`);
}

function refusedError(what: string, cause: Error): ActivityError {
  return new ActivityError("RedisRefused", `${what}: ${meaningOf(cause)}`, { cause });
}

function unavailableError(state: State, what: string, timeout: number): ActivityError {
  const cause = state.lastError;
  // Redis answers, and lets nobody in: a wrong password, a database that it does not have. Waiting does not mend that.
  if (isRefusal(cause)) return refusedError(what, cause);
  const reply = lastRefusal(state.client, timeout) ?? (isReply(cause) ? cause.message : undefined);
  const sentence =
    reply === undefined
      ? `Redis did not answer within ${timeout} ms${reason(cause)}`
      : `Redis answers, and refused for ${timeout} ms: ${reply}`;
  return new ActivityError("RedisUnavailable", `${what}: ${sentence}`, { retryable: true, cause });
}

function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

function reason(cause: unknown): string {
  return cause instanceof Error && cause.message !== "" ? ` (${cause.message})` : "";
}

/** Done once; tried again where it failed. */
function onceDone(work: () => Promise<void>): () => Promise<void> {
  let doing: Promise<void> | undefined;
  return () =>
    (doing ??= work().catch((error: unknown) => {
      doing = undefined;
      throw error;
    }));
}
