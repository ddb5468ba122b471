import { setTimeout as sleep } from "node:timers/promises";
import { ActivityError } from "../model/activity-error.ts";
import type { RedisClient } from "./connection/client.ts";
import { connectRedis, cutRedis } from "./connection/connect.ts";
import { connectionProblem } from "./connection/problem.ts";
import { loadScript } from "./scripts/load.ts";
import { queueScript } from "./scripts/run.ts";

/** What a proof looks like in Redis: fields of a hash, and their values. */
export type Written = { readonly key: string; readonly fields: Readonly<Record<string, string>> };

/** Makes sure that what was written survives the master: it is on so many replicas. */
export type ReplicaWait = {
  /**
   * Resolves once the hash is on the replicas with these values; for as long as too few of them answer, it waits.
   *
   * @throws ActivityError `ProofForgotten` where Redis does not have these values any more; the signal's reason
   */
  survives(written: Written, options: { readonly signal: AbortSignal }): Promise<void>;
  close(): void;
};

type Waiting = Written & {
  readonly signal: AbortSignal;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
};

const holdsFields = loadScript(new URL("./holds-fields.lua", import.meta.url), { keys: ["hash"], args: ["fields"] });

/** For how long one WAIT blocks its connection: well below what a connection may keep silent. Milliseconds. */
const ROUND_MS = 1000;
/** After a round that Redis refused. Milliseconds. */
const REST_MS = 250;

/**
 * WAIT blocks a connection, so it gets one of its own, and all who ask meanwhile share the next round. A round is one pipeline: look that the proof
 * is there, then WAIT. Nothing of it is sent again by itself, for on another connection WAIT would speak of nothing that was written.
 *
 * @param replicas how many have to have it, https://redis.io/docs/latest/commands/wait/
 * @param onTrouble told each time that too few had it within a second
 */
export function createReplicaWait(
  redis: RedisClient,
  { replicas, onTrouble }: { readonly replicas: number; readonly onTrouble: (error: unknown) => void },
): ReplicaWait {
  const client = connectRedis(redis, { lazyConnect: true, connectionName: "bucketline-wait", resend: false });
  client.on("error", () => {}); // the connection beside it tells of the same
  let waiting: Waiting[] = [];
  const state = { running: false, closed: false };

  const run = async () => {
    if (state.running) return;
    state.running = true;
    while (waiting.length > 0 && !state.closed) {
      waiting = dropAborted(waiting);
      const asked = waiting;
      waiting = [];
      const again = await round(client, asked, replicas).catch(async (error: unknown) => {
        const problem = isRedirection(error) ? "transient" : connectionProblem(error);
        if (problem === "transient" && !state.closed) {
          onTrouble(error);
          await sleep(REST_MS);
          await followRedirection(client, asked, error);
          return asked;
        }
        for (const { reject } of asked) reject(problem ?? error);
        return [];
      });
      if (again.some((one) => asked.includes(one))) onTrouble(tooFew(replicas));
      waiting.push(...again);
    }
    state.running = false;
  };
  return {
    survives: ({ key, fields }, { signal }) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const abort = () => reject(signal.reason as Error); // whoever aborts says why
      signal.addEventListener("abort", abort, { once: true });
      if (signal.aborted) abort();
      else waiting.push({ key, fields, signal, resolve, reject });
      void run();
      return promise.finally(() => signal.removeEventListener("abort", abort));
    },
    close() {
      state.closed = true;
      cutRedis(client);
    },
  };
}

function dropAborted(waiting: readonly Waiting[]): Waiting[] {
  return waiting.filter(({ signal }) => !signal.aborted);
}

/** Another node of the cluster has the slot, which a pipeline does not follow. */
function isRedirection(error: unknown): boolean {
  return error instanceof Error && /^(MOVED|ASK)\b/.test(error.message);
}

/** A command by itself does follow, and the client remembers where. */
async function followRedirection(client: RedisClient, [first]: readonly Waiting[], error: unknown): Promise<void> {
  if (first === undefined || !isRedirection(error)) return;
  await client.exists(first.key).catch(() => 0); // the next round meets the same
}

/** Settles those that are decided; answers who has to ask again. */
async function round(client: RedisClient, asked: readonly Waiting[], replicas: number): Promise<Waiting[]> {
  const pipeline = client.pipeline();
  for (const { key, fields } of asked)
    queueScript(pipeline, holdsFields, { hash: key }, { fields: Object.entries(fields).flat() });
  pipeline.call("WAIT", replicas, ROUND_MS);
  const replies = (await pipeline.exec()) ?? [];
  const failed = replies.find(([error]) => error !== null);
  if (failed !== undefined) throw failed[0] ?? new Error("no reply");
  const reached = Number(replies.at(-1)?.[1]);
  const again: Waiting[] = [];
  for (const [index, one] of asked.entries()) {
    if (replies[index]?.[1] !== 1) one.reject(forgotten(one));
    else if (reached >= replicas) one.resolve();
    else again.push(one);
  }
  return again;
}

function forgotten({ key }: Written): ActivityError {
  return new ActivityError(
    "ProofForgotten",
    `expected ${key} as it was written, Redis has it otherwise: it went back in time, or another worker has it`,
    {
      retryable: true,
    },
  );
}

function tooFew(replicas: number): ActivityError {
  const what = replicas === 1 ? "a replica" : `${replicas} replicas`;
  return new ActivityError(
    "ReplicasMissing",
    `expected ${what} of Redis to have what was written, within ${ROUND_MS} ms`,
    {
      retryable: true,
    },
  );
}
