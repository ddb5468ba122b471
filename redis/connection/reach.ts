import { setTimeout as sleep } from "node:timers/promises";
import { ActivityError } from "../../model/activity-error.ts";
import { refuseUnfit } from "./apps-own.ts";
import { isCluster, type RedisClient, type RedisLocation } from "./client.ts";
import { asCluster, connectRedis, cutRedis, type Patience } from "./connect.ts";
import { connectionProblem } from "./problem.ts";

const ASK_AGAIN_MS = 500;

/** Queues, and the scripts over their keys, live in one slot of a cluster each. */
export function hasHashTag(prefix: string): boolean {
  return /\{[^}]+\}/.test(prefix);
}

/** What a cluster asks of a prefix. */
export function refuseWithoutHashTag(prefix: string): void {
  if (hasHashTag(prefix)) return;
  throw new ActivityError(
    "InvalidInput",
    `prefix: expected one in braces for Redis Cluster, such as {${prefix}}, got "${prefix}": a queue's keys have to lie on one node, and braces ` +
      "see to that. Set the same one for producers, workers and dashboards (BUCKETLINE_PREFIX)",
    { field: "prefix" },
  );
}

type Reaching = Patience & {
  readonly prefix: string;
  readonly onError: (error: Error, client: RedisClient) => void;
  /** Gives up the wait for Redis. */
  readonly signal?: AbortSignal | undefined;
  /** For how many milliseconds to wait for a word of Redis; afterwards its kind is taken from the URL. Default: until it answers. */
  readonly within?: number;
};

/**
 * Connects, and waits until it is known what answers: a URL of one server that turns out to be a node of a cluster leads to the whole cluster.
 *
 * @throws ActivityError `InvalidInput` where it is a cluster and the prefix has no braces; the signal's reason
 */
export async function reachRedis(location: RedisLocation, reaching: Reaching): Promise<RedisClient> {
  const { prefix, onError } = reaching;
  const client = connectRedis(location, { commandTimeout: null, ...reaching });
  client.on("error", (error: Error) => onError(error, client));
  try {
    refuseUnfit(client);
    if (isCluster(client)) refuseWithoutHashTag(prefix);
    else if (await turnsOutAsCluster(client, reaching)) {
      refuseWithoutHashTag(prefix);
      const whole = asCluster(client, reaching);
      whole.on("error", (error: Error) => onError(error, whole));
      cutRedis(client);
      return whole;
    }
  } catch (error) {
    cutRedis(client);
    throw error;
  }
  return client;
}

/** Whoever waits for Redis for ever asks one that is busy again, too. */
async function turnsOutAsCluster(client: RedisClient, { signal, within, ...reaching }: Reaching): Promise<boolean> {
  const waits = within === undefined && (reaching.maxRetriesPerRequest ?? null) === null;
  for (;;) {
    try {
      return await isNodeOfCluster(client, { signal, within });
    } catch (error) {
      signal?.throwIfAborted();
      if (!waits || connectionProblem(error) !== "transient") throw error;
      reaching.onError(error as Error, client); // it has a meaning, so it is one
      await sleep(ASK_AGAIN_MS, undefined, { signal });
    }
  }
}

/** Whether a server runs in cluster mode; false where it does not say so within the time. */
export async function isNodeOfCluster(
  client: RedisClient,
  { signal, within }: { readonly signal?: AbortSignal | undefined; readonly within?: number | undefined } = {},
): Promise<boolean> {
  const { promise: ended, resolve, reject } = Promise.withResolvers<string>();
  const abort = () => reject(signal?.reason as Error);
  signal?.addEventListener("abort", abort, { once: true });
  const timer = within === undefined ? undefined : setTimeout(resolve, within, "");
  try {
    signal?.throwIfAborted();
    const info = await Promise.race([client.info("cluster"), ended]);
    return /^cluster_enabled:1/m.test(info);
  } catch (error) {
    // Who may not ask is told by the first command whether another node has the keys.
    if (error instanceof Error && /^(NOPERM|ERR unknown command)/.test(error.message)) return false;
    const problem = connectionProblem(error);
    if (problem === "transient" && within !== undefined) return false;
    throw problem === "transient" ? error : (problem ?? error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
