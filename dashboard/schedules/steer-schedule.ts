import { getNextMillis, type JobSchedulerJson, type Queue } from "bullmq";
import { ActivityError } from "../../model/activity-error.ts";
import type { Producer } from "../../producer/index.ts";
import { type ActivityInput, type ActivityName, activityNames } from "../../jobs/contracts.ts";
import type { BatchSpecInput } from "../../producer/batches.ts";
import { repeatOf, type ScheduleRule } from "../../producer/schedule-rule.ts";
import type { RedisClient } from "../../redis/connection/client.ts";
import { redisKeys } from "../../redis/keys.ts";
import { HttpProblem } from "../http/problem.ts";
import { kindOf, type PausedSchedule, readPaused } from "./schedule.ts";

type Steered = { readonly redis: RedisClient; readonly prefix: string; readonly queue: Queue; readonly id: string };

/** What is stored of a schedule, whether it runs or rests. */
async function find({ redis, prefix, queue, id }: Steered) {
  const text = await redis.hget(redisKeys(prefix).pausedSchedules(), `${queue.name}/${id}`);
  const kept = readPaused(text);
  if (kept !== undefined) return { stored: kept.stored, kept };
  const stored = await readStored(queue, id);
  if (!stored) throw new HttpProblem(404, "NotFound", `there is no schedule ${id} (any more)`);
  return { stored, kept: undefined };
}

/** BullMQ reads what another program wrote as if it were its own. */
async function readStored(queue: Queue, id: string): Promise<JobSchedulerJson | undefined> {
  try {
    return await queue.getJobScheduler(id);
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
    throw unreadable(queue, id, error);
  }
}

function unreadable(queue: Queue, id: string, cause?: unknown): HttpProblem {
  const detail = `the schedule ${id} cannot be read: another program wrote it; remove the key ${queue.toKey(`repeat:${id}`)}`;
  return new HttpProblem(409, "MalformedJob", detail, { cause });
}

/** When it runs, as BullMQ takes it; undefined where nothing could be made of that. */
function repeatStored({ every, pattern, tz }: JobSchedulerJson) {
  if (Number.isSafeInteger(every) && Number(every) > 0) return { every: Number(every) };
  const repeat = { pattern: pattern ?? "", ...(tz !== undefined && { tz }) };
  try {
    return repeat.pattern !== "" && getNextMillis(Date.now(), repeat) !== undefined ? repeat : undefined;
  } catch {
    // It throws on what is no cron expression.
    return undefined;
  }
}

/** Takes it out of its queue and keeps all that it takes to go on. No run is made up for later. */
export async function pauseSchedule(steered: Steered, by: string): Promise<void> {
  const { redis, prefix, queue, id } = steered;
  const { stored, kept } = await find(steered);
  if (kept !== undefined) return;
  // It could never go on.
  if (repeatStored(stored) === undefined) throw unreadable(queue, id);
  const paused: PausedSchedule = { stored, by, at: new Date().toISOString() };
  // Kept before it is taken out: a crash in between leaves it running.
  await redis.hset(redisKeys(prefix).pausedSchedules(), `${queue.name}/${id}`, JSON.stringify(paused));
  await queue.removeJobScheduler(id);
}

export async function resumeSchedule(steered: Steered): Promise<void> {
  const { redis, prefix, queue, id } = steered;
  const { stored, kept } = await find(steered);
  if (kept === undefined) return;
  await put(queue, id, stored);
  await redis.hdel(redisKeys(prefix).pausedSchedules(), `${queue.name}/${id}`);
}

/** Another rule for the same request. A paused one stays paused. */
export async function editSchedule(steered: Steered, rule: ScheduleRule): Promise<void> {
  const { redis, prefix, queue, id } = steered;
  const repeat = repeatOf(id, rule);
  const { stored, kept } = await find(steered);
  const { key, name, template } = stored;
  const changed: JobSchedulerJson = { key, name, ...(template && { template }), ...repeat };
  if (kept === undefined) return await put(queue, id, changed);
  const paused: PausedSchedule = { ...kept, stored: changed };
  await redis.hset(redisKeys(prefix).pausedSchedules(), `${queue.name}/${id}`, JSON.stringify(paused));
}

export async function removeSchedule(steered: Steered): Promise<void> {
  const { redis, prefix, queue, id } = steered;
  await find(steered);
  await queue.removeJobScheduler(id);
  await redis.hdel(redisKeys(prefix).pausedSchedules(), `${queue.name}/${id}`);
  await redis.del(redisKeys(prefix).scheduleRuns(queue.name, id));
}

/** One run beside those that are due. Returns where it is. */
export async function runScheduleNow(steered: Steered, producer: Producer): Promise<string> {
  const { queue, id } = steered;
  const { stored } = await find(steered);
  const data = stored.template?.data as unknown;
  if (kindOf(queue.name) === "batches") {
    if (typeof data !== "object" || data === null || !("spec" in data)) throw unreadable(queue, id);
    const { spec } = data as { readonly spec: BatchSpecInput }; // the producer parses it
    const { id: batch } = await producer.batches.start(spec);
    return `/batches/${batch}`;
  }
  const activity = activityNames.find((name) => name === queue.name);
  if (activity === undefined) throw new ActivityError("UnknownActivity", `there is no activity ${queue.name}`);
  const job = await producer.enqueue(activity, data as ActivityInput<ActivityName>); // the producer parses it
  return `/jobs/${activity}/${encodeURIComponent(job.id)}`;
}

async function put(queue: Queue, id: string, stored: JobSchedulerJson): Promise<void> {
  const { name, template } = stored;
  const repeat = repeatStored(stored);
  if (repeat === undefined) throw unreadable(queue, id);
  await queue.upsertJobScheduler(id, repeat, {
    name: template === undefined ? name : kindOf(queue.name) === "batches" ? "due" : queue.name,
    data: template?.data as unknown,
    opts: template?.opts ?? {},
  });
}
