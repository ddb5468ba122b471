import { ActivityError } from "../../model/activity-error.ts";
import { isReady, type RedisClient } from "./client.ts";
import { connectionProblem } from "./problem.ts";

/** Before an operation is repeated on a client that fails at once although it calls itself ready. */
const REPEAT_AFTER_MS = 50;

/** Runs `work` until it ends or the time is up; the signal tells it to stop trying. */
export async function withDeadline<T>(
  timeout: number,
  expired: () => ActivityError,
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

type Repeating = {
  readonly signal: AbortSignal;
  /** Called with each error after which the operation is tried again. */
  readonly onTrouble: (error: unknown) => void;
};

/** Runs an operation that is safe to repeat until a Redis that answers has done it. */
export async function repeatUntilDone<T>(
  client: () => RedisClient,
  operation: (client: RedisClient) => Promise<T>,
  { signal, onTrouble }: Repeating,
): Promise<T> {
  for (;;) {
    if (!isReady(client())) await becomesReady(client(), signal);
    try {
      return await operation(client());
    } catch (error) {
      const problem = connectionProblem(error);
      if (problem !== "transient") throw problem ?? error;
      onTrouble(error);
      signal.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, REPEAT_AFTER_MS));
    }
  }
}

/** The wait of each client for its connection, shared by all operations, however many there are. */
const becoming = new WeakMap<RedisClient, Promise<void>>();

async function becomesReady(client: RedisClient, signal: AbortSignal): Promise<void> {
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

function nextReady(client: RedisClient): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const ended = () =>
    reject(new ActivityError("RedisUnavailable", "the connection to Redis ended", { retryable: true }));
  client.once("ready", resolve).once("end", ended);
  return promise.finally(() => void client.off("ready", resolve).off("end", ended));
}
