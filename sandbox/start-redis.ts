import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { dockerEngine, findProgram, programEngine, type RedisEngine } from "./redis-engine.ts";

export type RedisChoice = "redis-server" | "valkey-server" | "docker";

/**
 * Which Redis is started.
 *
 * @example
 * import { startRedis, type StartRedisOptions } from "bucketline/sandbox";
 *
 * const options: StartRedisOptions = {};
 * await using redis = await startRedis(options);
 * console.log(redis.url);
 */
export type StartRedisOptions = {
  /** Use this server instead of starting one; it is never stopped or killed from here. */
  url?: string | undefined;
  /** Default: a free one. */
  port?: number;
  /** Append-only file, so that data survives `kill` and `restart`. Default false. */
  appendonly?: boolean;
  /** Default `"everysec"`, as Redis has it. */
  appendfsync?: "always" | "everysec" | "no";
  /** Where data goes. Default: a temporary directory, removed by `stop`. */
  dir?: string;
  /** Default `"noeviction"`, which BullMQ needs. */
  maxmemoryPolicy?: string;
  /** Which ways to try, in this order. Default: redis-server, valkey-server, docker. */
  choices?: readonly RedisChoice[];
  /** Where programs are looked up. Default: this process's PATH. */
  path?: string;
  /** Default `redis:8-alpine`. */
  image?: string;
};

/** A Redis server for as long as it is needed. */
export type RedisServer = {
  readonly url: string;
  /** Undefined for a given server. */
  readonly pid: number | undefined;
  readonly how: "given" | RedisChoice;
  /** Ends the server and removes its temporary directory. Does nothing to a given server. */
  stop(): Promise<void>;
  /** SIGKILL: what a crash does. */
  kill(): Promise<void>;
  /** Starts it again on the same port and directory, after `kill` or in place of the running one. Resolves when it answers. */
  restart(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

const READY_WITHIN_MS = 30_000;

/**
 * Gives a Redis server that answers: the one given, else redis-server or valkey-server from the PATH, else Docker. What is started here
 * ends with this process.
 *
 * @throws Error naming the choices when there is none, or with the server's own words when it does not come up
 *
 * @example
 * import { startRedis } from "bucketline/sandbox";
 *
 * await using redis = await startRedis();
 * console.log(redis.url);
 */
export async function startRedis(options: StartRedisOptions = {}): Promise<RedisServer> {
  if (options.url !== undefined && options.url !== "") return givenRedis(options.url);
  const port = options.port ?? (await freePort());
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), "bucketline-redis-")));
  const { how, engine } = chooseEngine(options, port, dir);
  const abandon = () => engine.abandon();
  process.once("exit", abandon);
  const url = `redis://127.0.0.1:${port}`;
  const cleanUp = async () => {
    process.off("exit", abandon);
    await engine.stop();
    if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
  };
  let pid: number | undefined;
  const start = async () => {
    ({ pid } = await engine.start());
    await answers(url, engine, how === "docker" ? undefined : pid);
  };
  try {
    await start();
  } catch (error) {
    await cleanUp();
    throw error;
  }
  return {
    url,
    get pid() {
      return pid;
    },
    how,
    stop: cleanUp,
    kill: () => engine.kill(),
    restart: async () => {
      await engine.kill();
      await start();
    },
    [Symbol.asyncDispose]: cleanUp,
  };
}

function chooseEngine(
  options: StartRedisOptions,
  port: number,
  dir: string,
): { how: RedisChoice; engine: RedisEngine } {
  const path = options.path ?? process.env["PATH"] ?? "";
  for (const how of options.choices ?? (["redis-server", "valkey-server", "docker"] as const)) {
    const program = findProgram(how, path);
    if (program === undefined) continue;
    const settings = redisArguments(options);
    if (how === "docker") {
      return { how, engine: dockerEngine(program, { image: options.image ?? "redis:8-alpine", port, args: settings }) };
    }
    return {
      how,
      engine: programEngine(program, ["--port", String(port), "--bind", "127.0.0.1", "--dir", dir, ...settings]),
    };
  }
  throw new Error(
    "no Redis found. Choose one: set REDIS_URL to a running server (Redis 6.2 or later); or install redis-server or valkey-server " +
      "(Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis); or install Docker",
  );
}

function redisArguments(options: StartRedisOptions): string[] {
  return [
    ["--save", ""],
    ["--appendonly", options.appendonly ? "yes" : "no"],
    ["--appendfsync", options.appendfsync ?? "everysec"],
    ["--maxmemory-policy", options.maxmemoryPolicy ?? "noeviction"],
  ].flat();
}

async function givenRedis(url: string): Promise<RedisServer> {
  await answers(url);
  const refuse = () =>
    Promise.reject(
      new Error(`the Redis at ${withoutPassword(url)} was given, not started here: it cannot be killed or restarted`),
    );
  return {
    url,
    pid: undefined,
    how: "given",
    stop: leaveRunning,
    kill: refuse,
    restart: refuse,
    [Symbol.asyncDispose]: leaveRunning,
  };
}

function leaveRunning(): Promise<void> {
  return Promise.resolve();
}

/** Waits until the server answers PING. A server that was given must answer at once. */
async function answers(url: string, engine?: RedisEngine, pid?: number): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const error = await ping(url, pid);
    if (error === undefined) return;
    const failure = engine?.failure();
    if (engine === undefined || failure !== undefined || Date.now() > deadline) {
      throw new Error(`Redis at ${withoutPassword(url)} does not answer: ${failure ?? error.message}`, {
        cause: error,
      });
    }
    await delay(20);
  }
}

/** Undefined when the server answers and is the expected process: on a port that was taken, another one would. */
async function ping(url: string, pid: number | undefined): Promise<Error | undefined> {
  const redis = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: 5000,
  });
  // ioredis reports the cause of a failed connection here; connect() itself only says that it is closed.
  let reason: Error | undefined;
  redis.on("error", (error: Error) => {
    reason = error;
  });
  try {
    await redis.connect();
    await redis.ping();
    if (pid === undefined || (await redis.info("server")).includes(`process_id:${pid}\r\n`)) return undefined;
    return new Error("another server answers on this port");
  } catch (error) {
    return reason ?? (error instanceof Error ? error : new Error(String(error)));
  } finally {
    redis.disconnect();
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // A TCP server's address is never a string.
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, "//***@");
}
