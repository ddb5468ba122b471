import { Cluster, type ClusterOptions, Redis, type RedisOptions } from "ioredis";
import { ActivityError } from "../../model/activity-error.ts";
import { OURS } from "./apps-own.ts";
import { isCluster, isInstance, isReady, type RedisClient, type RedisLocation } from "./client.ts";
import { followSentinels } from "./follow-sentinels.ts";
import { joinWrites } from "./join-writes.ts";
import { readRedisUrl } from "./url.ts";

/**
 * A command that Redis does not answer at all within this time has lost its connection, however open it looks: packets vanish without an end
 * where a host dies or a proxy forgets. More than the 10 s for which BullMQ lets a connection block. Milliseconds.
 */
const SILENT_MS = 12_000;

/** An idle connection asks so often, so that the rule above finds it too. Milliseconds. */
const PULSE_MS = 3000;

const RECONNECT_MAX_MS = 2000;

/** After a server said that it is not the one: it will say so again for a while. Milliseconds. */
const REFUSED_RECONNECT_MS = 1500;

/**
 * Replies of a server that is no master, or not yet: behind the same address, or by the word of sentinels, a new connection finds the one
 * that is. Commands that got such a reply have done nothing, and are sent again there.
 */
const WRONG_SERVER = /^(READONLY|MASTERDOWN|UNBLOCKED|LOADING)\b/;

/** How long a connection's commands are waited for. */
export type Patience = {
  /** How often a command is tried again after its connection was lost. Default null: until it is answered. */
  readonly maxRetriesPerRequest?: number | null;
  /** Milliseconds; null: none, whatever ioredis options say. Default: what those say, and of an instance none: it was meant for other commands. */
  readonly commandTimeout?: number | null;
  /** Connect with the first command. Default false. */
  readonly lazyConnect?: boolean;
  /** Shown by `CLIENT LIST`. */
  readonly connectionName?: string;
  /** See `followSentinels`. Default true; connections that only wait for work learn of a failover from the server itself. */
  readonly watchSentinels?: boolean;
  /** Whether a command that the wrong server refused is sent again to the right one. Default true; false: it rejects. */
  readonly resend?: boolean;
};

/** The last reply by which a server of this connection said that it is the wrong one. */
type Refusal = { message: string; at: number };
const refusals = new WeakMap<RedisClient, Refusal>();

/** What the server of a connection said within the last seconds to say that it takes no writes; its commands wait meanwhile. */
export function lastRefusal(client: RedisClient, withinMs = 5000): string | undefined {
  const refusal = refusals.get(client);
  return refusal !== undefined && performance.now() - refusal.at < withinMs ? refusal.message : undefined;
}

/**
 * Opens a connection that finds its way back by itself: from a lost one, from one that hangs, from a server that is no master any more. An
 * instance is copied with its options, and stays the caller's.
 *
 * @throws ActivityError `InvalidInput` for a URL that cannot be
 */
export function connectRedis(location: RedisLocation, patience: Patience = {}): RedisClient {
  const refusal: Refusal = { message: "", at: -Infinity };
  const settings = settingsOf(patience, refusal);
  const client = mended(open(location, settings));
  refusals.set(client, refusal);
  keepPulse(client);
  if (!isCluster(client) && patience.watchSentinels !== false) followSentinels(client);
  return client;
}

/** A second connection like this one, with its own pulse and a name for `CLIENT LIST`; commands that block belong there. */
export function anotherLike(client: RedisClient, name: string): RedisClient {
  return connectRedis(client, { lazyConnect: true, connectionName: name, watchSentinels: false });
}

/** Several nodes of a cluster are asked by what one of them said of itself. */
export function asCluster(node: RedisClient, patience: Patience = {}): RedisClient {
  if (isCluster(node)) return node;
  const { host = "127.0.0.1", port = 6379, username, password, tls, family } = node.options;
  const redisOptions: RedisOptions = {
    ...(username && { username }),
    ...(password && { password }),
    ...(tls && { tls }),
    ...(family !== undefined && { family }),
  };
  const refusal: Refusal = { message: "", at: -Infinity };
  const client = cluster([{ host, port }], { redisOptions }, settingsOf(patience, refusal));
  refusals.set(client, refusal);
  keepPulse(client);
  return client;
}

/** Takes the place of another, which leaving it out would not; ioredis' types do not say that it may. */
const NONE = undefined as unknown as number;

function settingsOf(patience: Patience, refusal: Refusal) {
  const { maxRetriesPerRequest = null, commandTimeout, lazyConnect = false, connectionName, resend = true } = patience;
  return {
    ...(connectionName !== undefined && { connectionName }),
    lazyConnect,
    enableOfflineQueue: true,
    maxRetriesPerRequest,
    ...(commandTimeout !== undefined && { commandTimeout: commandTimeout ?? NONE }),
    replyMapping: "legacy",
    connectTimeout: 5000,
    socketTimeout: SILENT_MS,
    // A command that blocks ends by its own time, also on a connection that hangs or is lost: BullMQ would otherwise take the connection down
    // itself a second later, which a cluster that is failing over does not survive.
    blockingTimeout: SILENT_MS,
    blockingTimeoutGrace: 500,
    sentinelCommandTimeout: 3000,
    reconnectOnError: (error: Error) => {
      if (!WRONG_SERVER.test(error.message)) return false;
      refusal.message = error.message;
      refusal.at = performance.now();
      return resend ? 2 : 1;
    },
    retryStrategy: (times: number) => {
      const jitter = Math.floor(Math.random() * 200);
      if (performance.now() - refusal.at < REFUSED_RECONNECT_MS) return REFUSED_RECONNECT_MS + jitter;
      return Math.min(50 * 2 ** (times - 1), RECONNECT_MAX_MS) + jitter;
    },
  } as const satisfies RedisOptions;
}
type Settings = ReturnType<typeof settingsOf>;

function open(location: RedisLocation, settings: Settings): RedisClient {
  if (isInstance(location)) return copyOf(location, settings);
  if (typeof location !== "string") return new Redis({ ...settings, ...location, ...always(settings) });
  const target = readRedisUrl(location.trim());
  if (target.kind === "cluster") return cluster(target.nodes, target.options, settings);
  return new Redis({ ...target.options, ...settings });
}

/** What the caller's options may not say otherwise. */
function always(settings: Settings) {
  const { lazyConnect, enableOfflineQueue, maxRetriesPerRequest, replyMapping } = settings;
  const timeout = "commandTimeout" in settings ? { commandTimeout: settings.commandTimeout } : {};
  return { ...OURS, ...timeout, lazyConnect, enableOfflineQueue, maxRetriesPerRequest, replyMapping };
}

function copyOf(instance: RedisClient, settings: Settings): RedisClient {
  const ours = { ...OURS, commandTimeout: NONE };
  if (!isCluster(instance)) return instance.duplicate({ ...ours, ...settings });
  const { redisOptions, ...options } = instance.options;
  return instance.duplicate([], { ...options, ...clusterSettings({ ...redisOptions, ...ours }, settings) });
}

function cluster(nodes: readonly { host: string; port: number }[], options: ClusterOptions, settings: Settings) {
  return new Cluster([...nodes], { ...options, ...clusterSettings(options.redisOptions ?? {}, settings) });
}

/** In a cluster it is the cluster that repeats commands, on whichever node has the slot by then; its nodes' connections end when they break. */
function clusterSettings(redisOptions: RedisOptions, settings: Settings) {
  const { lazyConnect, enableOfflineQueue, maxRetriesPerRequest, commandTimeout, connectionName } = settings;
  const { replyMapping, connectTimeout, socketTimeout, reconnectOnError, blockingTimeout, blockingTimeoutGrace } =
    settings;
  const forEver = settings.maxRetriesPerRequest === null;
  return {
    lazyConnect,
    enableOfflineQueue,
    // A replica is behind: what was just written is not there yet.
    scaleReads: "master",
    redisOptions: {
      ...redisOptions,
      ...(commandTimeout !== undefined && { commandTimeout }),
      ...(connectionName !== undefined && { connectionName }),
      maxRetriesPerRequest,
      replyMapping,
      connectTimeout,
      socketTimeout,
      blockingTimeout,
      blockingTimeoutGrace,
      reconnectOnError,
    },
    maxRedirections: forEver ? 1_000_000 : 16,
    retryDelayOnFailover: 250,
    retryDelayOnClusterDown: 250,
    retryDelayOnTryAgain: 100,
    slotsRefreshTimeout: 3000,
    slotsRefreshInterval: 10_000,
    clusterRetryStrategy: (times: number) => Math.min(100 * 2 ** (times - 1), RECONNECT_MAX_MS),
    // Certificates are made out to names, which a look-up would have replaced.
    ...(redisOptions.tls && { dnsLookup: (name, done) => done(null, name) }),
  } satisfies ClusterOptions;
}

/** Asks idle connections, so that one that hangs is found by its silence. Ends with the connection. */
function keepPulse(client: RedisClient): void {
  const timer = setInterval(() => {
    const nodes = isCluster(client) ? client.nodes("all") : [client];
    // What became of it is seen by the socket's own clock.
    for (const node of nodes) if (node.status === "ready") node.ping().catch(() => {});
  }, PULSE_MS);
  timer.unref();
  client.once("end", () => clearInterval(timer));
}

/**
 * Joins the writes of a turn, and ends what ioredis would not: of a connection that is cut while it waits for its next attempt it forgets the
 * timer, and says neither that it ended nor what becomes of waiting commands, so that whoever closes a queue just then waits for ever. A new
 * attempt, cut at once, does both. Holds for its duplicates too, of which BullMQ makes its blocking ones.
 */
function mended<Client extends RedisClient>(client: Client): Client {
  joinWrites(client);
  const disconnect = client.disconnect.bind(client);
  let left: object | undefined;
  client.disconnect = (reconnect = false) => {
    // Many commands are refused by one server, and each of them would have its socket left again.
    const socket = "stream" in client ? client.stream : undefined;
    if (reconnect && socket !== undefined && socket === left) return;
    if (reconnect) left = socket;
    // Cut again, it would wait two seconds for a socket to close that is closed, and keep the process for as long.
    if (client.status === "end" && !reconnect) return;
    const waits = client.status === "reconnecting";
    disconnect(reconnect);
    if (!waits || reconnect) return;
    client.connect().catch(() => {});
    disconnect();
  };
  const duplicate = client.duplicate.bind(client) as (...args: readonly unknown[]) => RedisClient; // Redis and Cluster take other arguments
  client.duplicate = ((...args: readonly unknown[]) => mended(duplicate(...args))) as Client["duplicate"]; // passed on as they are
  return client;
}

/** Cuts a connection for good, whatever it is doing. Its commands reject. */
export function cutRedis(client: RedisClient): void {
  client.disconnect();
}

/** Lets commands under way end, for at most `timeout` milliseconds, and closes the connection. */
export async function endRedis(client: RedisClient, timeout: number): Promise<void> {
  if (isReady(client)) {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new ActivityError("RedisUnavailable", "quit was not answered", { retryable: true })),
      timeout,
    );
    try {
      await Promise.race([client.quit(), late]);
      return;
    } catch {
      // A connection that cannot say goodbye is cut below.
    } finally {
      clearTimeout(timer);
    }
  }
  cutRedis(client);
}
