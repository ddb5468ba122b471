import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { isCluster, type RedisClient } from "./client.ts";

/** A server that lets nobody in says so at once. Milliseconds. */
const SPEAKS_WITHIN_MS = 1000;
/** One that lets nobody in is asked by one connection for all, and not more often. Milliseconds. */
const ASK_EVERY_MS = 5000;

/** How a connection ends whose server says why, and closes before it was asked anything: the words are lost with it. */
const CUT_OFF = /\b(EPIPE|ECONNRESET)\b|socket hang up|Client network socket disconnected/;

type Asked = { readonly at: number; readonly answer: Promise<string | undefined> };
const asked = new WeakMap<RedisClient, Asked>();

/**
 * What is behind an error of a connection. A Redis that has as many clients as it takes, or that is in protected mode, says so and hangs up; who
 * writes meanwhile sees only that the pipe is broken. A connection that keeps silent hears it.
 */
export async function trueCause<Thrown>(client: RedisClient, error: Thrown): Promise<Thrown | Error> {
  if (!(error instanceof Error) || isCluster(client)) return error;
  // Behind sentinels its address is theirs to tell.
  if (client.options.sentinels) return causeOfSentinels(error, client.options.name);
  const code = "code" in error ? String(error.code) : "";
  if (!CUT_OFF.test(`${code} ${error.message}`)) return error;
  const before = asked.get(client);
  const answer =
    before !== undefined && performance.now() - before.at < ASK_EVERY_MS ? before.answer : firstWords(client.options);
  if (answer !== before?.answer) asked.set(client, { at: performance.now(), answer });
  const words = await answer;
  return words === undefined ? error : saidByRedis(words, error);
}

/** What a server said, as one of its replies: it answers, and refuses. */
function saidByRedis(words: string, cause: Error): Error {
  const error = new Error(words, { cause });
  error.name = "ReplyError";
  return error;
}

/** ioredis calls sentinels unreachable also where they answer, and refuse. */
function causeOfSentinels<Thrown extends Error>(error: Thrown, name = ""): Thrown | Error {
  const [, words = ""] = /Last error: (.+)$/s.exec(error.message) ?? [];
  if (words.includes("No such master"))
    return saidByRedis(
      `the sentinels know no master by the name ${name} (${words}): expected its name after the sentinels of the URL`,
      error,
    );
  if (/^(NOAUTH|WRONGPASS|NOPERM)\b/.test(words))
    return saidByRedis(
      `the sentinels let nobody in (${words.split(" ", 1).join("")}): expected their own password as sentinelPassword in the URL, or in ` +
        "BUCKETLINE_REDIS_SENTINEL_PASSWORD",
      error,
    );
  return error;
}

type Server = {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly tls?: object | undefined;
};

/** The error that a server speaks of itself, without being asked. */
async function firstWords({ host = "127.0.0.1", port = 6379, tls }: Server): Promise<string | undefined> {
  const socket = tls ? connectTls({ host, port, ...tls }) : connectTcp({ host, port });
  try {
    const signal = AbortSignal.timeout(SPEAKS_WITHIN_MS);
    const [bytes] = (await once(socket, "data", { signal })) as [Buffer]; // what the event brings
    return /^-(.+)\r\n/.exec(bytes.toString("latin1"))?.[1];
  } catch {
    return undefined; // it says nothing; the first error is all there is
  } finally {
    socket.destroy();
  }
}
