import type { RedisClient } from "../../redis/connection/client.ts";
import { redisKeys } from "../../redis/keys.ts";
import { ALIVE_MS, parseWorker, type WorkerView } from "../watch/workers.ts";
import { type Problem } from "./interface.ts";

/** For how long the death of a worker is told. */
const TOLD_MS = 7 * 86_400_000;

/** Workers that fell silent without a goodbye, the last first: those that another worker put aside, and those that nobody was there to. */
export async function readLostWorkers(redis: RedisClient, prefix: string, now = Date.now()): Promise<WorkerView[]> {
  const keys = redisKeys(prefix);
  const [aside, silent] = await Promise.all([
    redis.hvals(keys.lostWorkers()),
    redis.zrangebyscore(keys.workers(), "-inf", `(${now - ALIVE_MS}`),
  ]);
  const texts = silent.length === 0 ? [] : await redis.mget(silent.map((id) => keys.worker(id)));
  const found = [...aside, ...texts].flatMap((text) => parseWorker(text) ?? []);
  return [...new Map(found.map((worker) => [worker.id, worker])).values()]
    .filter(({ seenAt }) => seenAt !== undefined && now - Date.parse(seenAt) < TOLD_MS)
    .toSorted((a, b) => (b.seenAt ?? "").localeCompare(a.seenAt ?? ""));
}

/** Nobody wants to hear of it any more. */
export async function forgetLostWorker(redis: RedisClient, prefix: string, id: string): Promise<void> {
  const keys = redisKeys(prefix);
  const score = await redis.zscore(keys.workers(), id);
  if (score !== null && Number(score) > Date.now() - ALIVE_MS) return;
  await Promise.all([redis.hdel(keys.lostWorkers(), id), redis.zrem(keys.workers(), id), redis.del(keys.worker(id))]);
}

export function problemOfWorker({ id, host, pid, seenAt, jobs, running }: WorkerView): Problem {
  const held = running === 0 ? "It held no job." : `It held ${running} ${running === 1 ? "job" : "jobs"}.`;
  return {
    id: `worker-${id}`,
    kind: "worker",
    severity: running > 0 ? "danger" : "warning",
    title: `The worker ${host} · ${pid} fell silent`,
    count: 1,
    ...(seenAt !== undefined && { firstSeen: seenAt, lastSeen: seenAt }),
    message: held,
    related: jobs.map((job) => ({ path: `/jobs/${job.split("/").map(encodeURIComponent).join("/")}`, text: job })),
    meaning:
      "It was killed, lost Redis, or its machine is gone: it said no goodbye. What it held is taken over within 45 s.",
    remedy: "Look at its host's log and memory, and start it again.",
    actions: ["forget"],
  };
}
