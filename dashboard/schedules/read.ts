import type { JobSchedulerJson, Queue } from "bullmq";
import type { BatchStore } from "../../batches/state/store.ts";
import { hasEnded } from "../../batches/state/status.ts";
import { describeRepeat } from "../../producer/schedule-rule.ts";
import type { RedisClient } from "../../redis/connection/client.ts";
import { redisKeys } from "../../redis/keys.ts";
import type { BullQueues } from "../bull-queues.ts";
import { instant } from "../job-views/job-fields.ts";
import type { Problem } from "../problems/interface.ts";
import { redact } from "../redact.ts";
import { isForeign, unlessForeign } from "../../redis/foreign.ts";
import { keptFor } from "../watch/kept-for.ts";
import { isStored, kindOf, readPaused, type ScheduleView } from "./schedule.ts";

/** However many look, Redis is asked so often at most. */
const FRESH_MS = 1500;
/** A run that nobody began for so long is missed. */
const LATE_MS = 60_000;

export type ScheduleReader = {
  readonly redis: RedisClient;
  readonly prefix: string;
  readonly queues: BullQueues;
  readonly store: BatchStore;
};

/** Every schedule, those that fail or are late first. */
export function createSchedules(deps: ScheduleReader): { list(): Promise<readonly ScheduleView[]> } {
  return { list: keptFor(FRESH_MS, () => readSchedules(deps)) };
}

async function readSchedules({ redis, prefix, queues, store }: ScheduleReader): Promise<readonly ScheduleView[]> {
  const keys = redisKeys(prefix);
  const paused = await unlessForeign(redis.hgetall(keys.pausedSchedules()), {});
  // Most activities have none, which one look tells of all.
  const lookup = redis.pipeline();
  for (const { name } of queues.all) lookup.exists(keys.job(name, "repeat"));
  const exists = ((await lookup.exec()) ?? []).map(([error, found]) => {
    if (error) throw error;
    return found === 1;
  });
  const scheduled = queues.all.filter((_, index) => exists[index]);
  const running = await Promise.all(
    scheduled.map(async (queue) =>
      (await schedulersOf(queue, { redis, prefix })).map((stored) => ({
        queue: queue.name,
        stored,
        paused: undefined,
      })),
    ),
  );
  const resting = Object.entries(paused).flatMap(([field, text]) => {
    const kept = readPaused(text);
    const queue = field.slice(0, field.indexOf("/"));
    return kept === undefined ? [] : [{ queue, stored: kept.stored, paused: { by: kept.by, at: kept.at } }];
  });
  const views = await Promise.all(
    [...running.flat(), ...resting].map((one) =>
      kindOf(one.queue) === "batches" ? viewOfBatches(one, store) : viewOfJobs(one, redis, prefix),
    ),
  );
  return views.toSorted((a, b) => urgency(b) - urgency(a) || (a.id < b.id ? -1 : 1));
}

/** The schedules of a queue: all at once, or one by one where one of them is none that BullMQ can read. */
async function schedulersOf(
  queue: Queue,
  { redis, prefix }: Pick<ScheduleReader, "redis" | "prefix">,
): Promise<JobSchedulerJson[]> {
  try {
    return (await queue.getJobSchedulers(0, -1, true)).filter(isStored);
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError || isForeign(error))) throw error;
    const ids = await unlessForeign(redis.zrange(redisKeys(prefix).job(queue.name, "repeat"), "0", "-1"), []);
    const found = await Promise.all(ids.map((id) => queue.getJobScheduler(id).catch(() => undefined))); // that one is none
    return found.filter((stored) => stored !== undefined && stored !== null).filter(isStored);
  }
}

const urgency = ({ failures, missedSince }: ScheduleView): number =>
  (failures > 0 ? 2 : 0) + (missedSince === undefined ? 0 : 1);

type Found = { readonly queue: string; readonly stored: JobSchedulerJson; readonly paused: ScheduleView["paused"] };

function common({ queue, stored, paused }: Found) {
  const { next, key } = stored;
  const late = paused === undefined && next !== undefined && next < Date.now() - LATE_MS;
  return {
    id: key,
    queue,
    kind: kindOf(queue),
    ...describeRepeat(stored),
    ...(paused === undefined && next !== undefined && { next: new Date(next).toISOString() }),
    ...(late && { missedSince: new Date(next).toISOString() }),
    ...(paused && { paused }),
  };
}

async function viewOfJobs(found: Found, redis: RedisClient, prefix: string): Promise<ScheduleView> {
  const { queue, stored } = found;
  const runs = await unlessForeign(redis.hgetall(redisKeys(prefix).scheduleRuns(queue, stored.key)), {});
  const at = instant(runs["at"]);
  const code = runs["code"];
  const failingSince = instant(runs["failingSince"]);
  return {
    ...common(found),
    ...(at !== undefined && {
      last: {
        at,
        path: `/jobs/${queue}/${encodeURIComponent(runs["id"] ?? "")}`,
        state: code ? "failed" : "completed",
        ...(code && { code }),
      },
    }),
    failures: Number(runs["failures"] ?? 0) || 0,
    ...(failingSince !== undefined && { failingSince }),
    skipped: 0,
    asks: redact(stored.template?.data),
  };
}

async function viewOfBatches(found: Found, store: BatchStore): Promise<ScheduleView> {
  const { last, skipped } = await unlessForeign(store.redis.hgetall(store.keys.schedule(found.stored.key)), {});
  const status = last === undefined ? undefined : await store.status(last);
  const failed = status?.state === "failed" || (status !== undefined && hasEnded(status.state) && status.failed > 0);
  const code = status?.error?.code ?? Object.keys(status?.errors ?? {})[0];
  const data = found.stored.template?.data as { readonly spec?: unknown } | undefined; // ours
  return {
    ...common(found),
    ...(status !== undefined && {
      last: {
        at: status.endedAt ?? status.createdAt,
        path: `/batches/${status.id}`,
        state: status.state,
        ...(failed && code !== undefined && { code }),
      },
    }),
    failures: failed ? 1 : 0,
    ...(failed && { failingSince: status.endedAt ?? status.createdAt }),
    skipped: Number(skipped ?? 0) || 0,
    asks: redact(data?.spec),
  };
}

/** Schedules that fail or are late, as problems. */
export function scheduleProblems(schedules: readonly ScheduleView[]): Problem[] {
  return schedules.flatMap((schedule): Problem[] => {
    const { id, queue, failures, failingSince, missedSince, last } = schedule;
    const shared = {
      kind: "schedule",
      related: [
        { path: `/schedules?id=${encodeURIComponent(id)}`, text: `schedule ${id}` },
        ...(last === undefined ? [] : [{ path: last.path, text: "its last run" }]),
      ],
      actions: [],
      activity: queue,
    } as const;
    const failing: Problem[] =
      failures === 0
        ? []
        : [
            {
              ...shared,
              id: `schedule-failing-${queue}-${id}`,
              severity: "danger",
              title: `The schedule ${id} keeps failing`,
              ...(last?.code !== undefined && { code: last.code }),
              count: failures,
              ...(failingSince !== undefined && { firstSeen: failingSince }),
              ...(last !== undefined && { lastSeen: last.at }),
              remedy: "Look at its last run, and correct what it asks for; or pause it until that is done.",
            },
          ];
    const missed: Problem[] =
      missedSince === undefined
        ? []
        : [
            {
              ...shared,
              id: `schedule-missed-${queue}-${id}`,
              severity: "danger",
              title: `The schedule ${id} missed its run`,
              count: 1,
              firstSeen: missedSince,
              lastSeen: missedSince,
              remedy: "Is a worker alive that takes this activity, and its queue not paused?",
            },
          ];
    return [...failing, ...missed];
  });
}
