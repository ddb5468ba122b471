import { ActivityError } from "../../model/activity-error.ts";
import type { ActivityName } from "../../jobs/contracts.ts";
import type { RedisKeys } from "../../redis/keys.ts";
import { type CheckBatches, createCheckBatches } from "../check-batches.ts";
import { type JobEvent, openJobEvents } from "./events.ts";
import { type Ended, failure, readOutcomes } from "./outcome.ts";
import {
  enter,
  isEmpty,
  leave,
  rejectAll,
  rejectJob,
  type Room,
  roomOf,
  settleAll,
  type Waiter,
  type WaitingRooms,
} from "./waiting-rooms.ts";
import { closedError, type RedisConnection } from "../../redis/connection/open.ts";

/**
 * How long a job is waited for.
 *
 * @example
 * const options: import("bucketline").WaitOptions = { timeout: 60_000, signal: AbortSignal.timeout(90_000) };
 * await job.result(options);
 */
export type WaitOptions = {
  /** Milliseconds; without it a wait goes on until the job ends. */
  readonly timeout?: number | undefined;
  /** Ends the wait, not the job; the wait rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
};

/** Waits for jobs to end, any number of them at once, on one connection for each activity. */
export type JobWaits = {
  wait(activity: ActivityName, id: string, options: WaitOptions): Promise<Ended>;
  close(): Promise<void>;
};

/** Events tell of an end at once; asking Redis again covers those that were missed. */
const POLL_EVERY_MS = 5000;

/** How much longer than its timeout a wait may take for a Redis that is slow to tell of the job at all. */
const FIRST_LOOK_MS = 500;

/** After the last wait the connection is kept for the next one. */
const IDLE_MS = 10_000;

type Context = {
  readonly redis: RedisConnection;
  readonly keys: RedisKeys;
  /** Milliseconds. */
  readonly pollEvery?: number;
};

type State = {
  readonly context: Context;
  readonly rooms: WaitingRooms;
  /** Looks at jobs in Redis, those that are asked for at the same time together. */
  readonly checks: CheckBatches;
  /** Why jobs could not be looked at the last time; undefined once they could. */
  outage: ActivityError | undefined;
  poll: NodeJS.Timeout | undefined;
  polling: boolean;
  closed: boolean;
};

export function createJobWaits(context: Context): JobWaits {
  const rooms: WaitingRooms = new Map();
  const checks = createCheckBatches((activity, ids, known) => check(state, activity, ids, known));
  const state: State = { context, rooms, checks, outage: undefined, poll: undefined, polling: false, closed: false };
  context.redis.watch({ ready: () => void pollAll(state), lost: (error) => rejectAll(rooms, error) });
  return {
    wait: (activity, id, options) => wait(state, activity, id, options),
    close: async () => {
      state.closed = true;
      clearInterval(state.poll);
      rejectAll(rooms, closedError("wait for a result"));
      checks.close();
      await Promise.all([...rooms.values()].map((room) => closeEvents(room)));
    },
  };
}

async function wait(
  state: State,
  activity: ActivityName,
  id: string,
  { timeout, signal }: WaitOptions,
): Promise<Ended> {
  if (state.closed) throw closedError(`wait for ${activity}/${id}`);
  signal?.throwIfAborted();
  const room = roomOf(state.rooms, activity);
  const { promise, resolve: settle, reject } = Promise.withResolvers<Ended>();
  const until = timeout === undefined ? 0 : performance.now() + timeout;
  const waiter: Waiter = {
    settle,
    // An outage does not end the wait of somebody who has more time: Redis is asked again when it is back, and every few seconds.
    reject: (error) => {
      if (!isOutage(error) || performance.now() >= until) return reject(error);
      state.outage = error;
    },
  };
  begin(state, room, id, waiter);
  const looked = look(state, room, id);
  looked.catch(waiter.reject);
  const expire = (ms: number) => reject(state.outage ?? timeoutError(activity, id, ms));
  // An end that Redis knows of already is told, however short the time is: the first look may take a moment longer.
  const expired = (ms: number) => {
    timer = setTimeout(expire, FIRST_LOOK_MS, ms);
    void looked.then(() => expire(ms), waiter.reject);
  };
  let timer = timeout === undefined ? undefined : setTimeout(expired, timeout, timeout);
  const aborted = () => reject(signal?.reason);
  signal?.addEventListener("abort", aborted, { once: true });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", aborted);
    end(state, room, id, waiter);
  }
}

function begin(state: State, room: Room, id: string, waiter: Waiter): void {
  clearTimeout(room.idle);
  enter(room, id, waiter);
  state.poll ??= setInterval(() => void pollAll(state), state.context.pollEvery ?? POLL_EVERY_MS);
}

function end(state: State, room: Room, id: string, waiter: Waiter): void {
  leave(room, id, waiter);
  if (room.waiters.size > 0) return;
  clearTimeout(room.idle);
  if (!state.closed) room.idle = setTimeout(() => void closeEvents(room), IDLE_MS);
  if (!isEmpty(state.rooms)) return;
  clearInterval(state.poll);
  state.poll = undefined;
}

/** A job that ended already costs one look; only one that did not makes us follow its queue. */
async function look(state: State, room: Room, id: string): Promise<void> {
  const followed = room.events !== undefined;
  await room.events;
  await state.checks.add(room.activity, id);
  if (followed || !room.waiters.has(id)) return;
  await follow(state, room);
  // It may have ended between the look and the first event.
  await state.checks.add(room.activity, id);
}

async function follow(state: State, room: Room): Promise<void> {
  room.events ??= openJobEvents(state.context, room.activity, {
    event: (event) => void onEvent(state, room, event),
    died: () => void closeEvents(room),
  });
  const { events } = room;
  try {
    await events;
  } catch (error) {
    if (room.events === events) room.events = undefined;
    throw error;
  }
}

async function closeEvents(room: Room): Promise<void> {
  clearTimeout(room.idle);
  const { events } = room;
  room.events = undefined;
  // One that failed to open has nothing to close; its waits were told.
  await events?.then(
    (opened) => opened.close(),
    () => {},
  );
}

async function onEvent({ checks }: State, room: Room, event: JobEvent): Promise<void> {
  if (!room.waiters.has(event.id)) return;
  if (event.kind === "completed") return settleAll(room, event.id, { kind: "completed", value: event.value });
  try {
    await checks.add(room.activity, event.id, event.kind === "failed" ? failure(event.reason) : undefined);
  } catch (error) {
    rejectJob(room, event.id, error);
  }
}

/** Looks at jobs in Redis and settles the waits for those that ended. `known`: what an event told of a job that is gone by now. */
async function check(
  state: State,
  activity: ActivityName,
  ids: readonly string[],
  known: ReadonlyMap<string, ActivityError>,
): Promise<void> {
  const { redis, keys } = state.context;
  const room = roomOf(state.rooms, activity);
  const waited = ids.filter((id) => room.waiters.has(id));
  if (waited.length === 0) return;
  const outcomes = await redis.run(`wait for ${activity}`, (client) => readOutcomes(client, keys, activity, waited));
  state.outage = undefined;
  for (const [index, id] of waited.entries())
    settleAll(room, id, outcomes[index] ?? { kind: "pending" }, known.get(id));
}

async function pollAll(state: State): Promise<void> {
  if (state.polling || state.closed) return;
  state.polling = true;
  try {
    // One activity after the other: a poll must not crowd out the work itself.
    for (const room of state.rooms.values()) await pollRoom(state, room);
  } finally {
    state.polling = false;
  }
}

async function pollRoom(state: State, room: Room): Promise<void> {
  const ids = [...room.waiters.keys()];
  if (ids.length === 0) return;
  try {
    await follow(state, room);
    await Promise.all(ids.map((id) => state.checks.add(room.activity, id)));
  } catch (error) {
    for (const id of ids) rejectJob(room, id, error);
  }
}

function isOutage(error: unknown): error is ActivityError {
  return error instanceof ActivityError && error.code === "RedisUnavailable";
}

function timeoutError(activity: string, id: string, timeout: number): ActivityError {
  return new ActivityError(
    "WaitTimeout",
    `${activity}/${id} did not end within ${timeout} ms; it was not cancelled, so it can be waited for again`,
    { retryable: true },
  );
}
