import { ActivityError } from "../../model/activity-error.ts";
import type { ActivityName } from "../../jobs/contracts.ts";
import type { RedisKeys } from "../../redis/keys.ts";
import { createCheckBatches } from "../check-batches.ts";
import { type JobEvent, type JobEvents, openJobEvents } from "./events.ts";
import { type Ended, failure, type Outcome, readOutcomes } from "./outcome.ts";
import { closedError, type RedisConnection } from "../../redis/connection/open.ts";

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

type Waiter = { readonly settle: (ended: Ended) => void; readonly reject: (error: unknown) => void };

/** The waits for one activity. */
type Room = {
  readonly activity: ActivityName;
  readonly waiters: Map<string, Set<Waiter>>;
  events: Promise<JobEvents> | undefined;
  idle: NodeJS.Timeout | undefined;
};

/** Events tell of an end at once; asking Redis again covers those that were missed. */
const POLL_EVERY_MS = 5000;

/** How much longer than its timeout a wait may take for a Redis that is slow to tell of the job at all. */
const FIRST_LOOK_MS = 500;

/** After the last wait the connection is kept for the next one. */
const IDLE_MS = 10_000;

export function createJobWaits(context: {
  readonly redis: RedisConnection;
  readonly keys: RedisKeys;
  /** Milliseconds. */
  readonly pollEvery?: number;
}): JobWaits {
  const { redis, keys, pollEvery = POLL_EVERY_MS } = context;
  const rooms = new Map<ActivityName, Room>();
  const checks = createCheckBatches(check);
  let poll: NodeJS.Timeout | undefined;
  let polling = false;
  let closed = false;

  redis.watch({ ready: () => void pollAll(), lost: rejectAll });

  return {
    wait: async (activity, id, { timeout, signal }) => {
      if (closed) throw closedError(`wait for ${activity}/${id}`);
      signal?.throwIfAborted();
      const room = roomOf(activity);
      const { promise, resolve: settle, reject } = Promise.withResolvers<Ended>();
      const waiter: Waiter = { settle, reject };
      add(room, id, waiter);
      const looked = begin(room, id);
      looked.catch(reject);
      const expire = (ms: number) => reject(timeoutError(activity, id, ms));
      // An end that Redis knows of already is told, however short the time is: the first look may take a moment longer.
      const expired = (ms: number) => {
        timer = setTimeout(expire, FIRST_LOOK_MS, ms);
        void looked.then(() => expire(ms), reject);
      };
      let timer = timeout === undefined ? undefined : setTimeout(expired, timeout, timeout);
      const aborted = () => reject(signal?.reason);
      signal?.addEventListener("abort", aborted, { once: true });
      try {
        return await promise;
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener("abort", aborted);
        remove(room, id, waiter);
      }
    },
    close: async () => {
      closed = true;
      clearInterval(poll);
      rejectAll(closedError("wait for a result"));
      checks.close();
      await Promise.all([...rooms.values()].map((room) => closeEvents(room)));
    },
  };

  function roomOf(activity: ActivityName): Room {
    const room = rooms.get(activity) ?? { activity, waiters: new Map(), events: undefined, idle: undefined };
    rooms.set(activity, room);
    return room;
  }

  function add(room: Room, id: string, waiter: Waiter): void {
    clearTimeout(room.idle);
    const waiters = room.waiters.get(id) ?? new Set();
    room.waiters.set(id, waiters.add(waiter));
    poll ??= setInterval(() => void pollAll(), pollEvery);
  }

  function remove(room: Room, id: string, waiter: Waiter): void {
    const waiters = room.waiters.get(id);
    waiters?.delete(waiter);
    if (waiters?.size === 0) room.waiters.delete(id);
    if (room.waiters.size > 0) return;
    clearTimeout(room.idle);
    if (!closed) room.idle = setTimeout(() => void closeEvents(room), IDLE_MS);
    if ([...rooms.values()].some(({ waiters: { size } }) => size > 0)) return;
    clearInterval(poll);
    poll = undefined;
  }

  /** A job that ended already costs one look; only one that did not makes us follow its queue. */
  async function begin(room: Room, id: string): Promise<void> {
    const followed = room.events !== undefined;
    await room.events;
    await checks.add(room.activity, id);
    if (followed || !room.waiters.has(id)) return;
    await follow(room);
    // It may have ended between the look and the first event.
    await checks.add(room.activity, id);
  }

  async function follow(room: Room): Promise<void> {
    room.events ??= openJobEvents(context, room.activity, {
      event: (event) => void onEvent(room, event),
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

  async function onEvent(room: Room, event: JobEvent): Promise<void> {
    if (!room.waiters.has(event.id)) return;
    if (event.kind === "completed") return settleAll(room, event.id, { kind: "completed", value: event.value });
    try {
      await checks.add(room.activity, event.id, event.kind === "failed" ? failure(event.reason) : undefined);
    } catch (error) {
      rejectJob(room, event.id, error);
    }
  }

  /** Looks at jobs in Redis and settles the waits for those that ended. `known`: what an event told of a job that is gone by now. */
  async function check(activity: ActivityName, ids: readonly string[], known: ReadonlyMap<string, ActivityError>) {
    const room = roomOf(activity);
    const waited = ids.filter((id) => room.waiters.has(id));
    if (waited.length === 0) return;
    const outcomes = await redis.run(`wait for ${activity}`, (client) => readOutcomes(client, keys, activity, waited));
    for (const [index, id] of waited.entries())
      settleAll(room, id, outcomes[index] ?? { kind: "pending" }, known.get(id));
  }

  function settleAll(room: Room, id: string, outcome: Outcome, known?: ActivityError): void {
    if (outcome.kind === "pending") return;
    if (outcome.kind !== "missing") for (const waiter of room.waiters.get(id) ?? []) waiter.settle(outcome);
    else if (known) settleAll(room, id, { kind: "failed", error: known });
    else rejectJob(room, id, expiredError(room.activity, id));
  }

  function rejectJob(room: Room, id: string, error: unknown): void {
    for (const waiter of room.waiters.get(id) ?? []) waiter.reject(error);
  }

  function rejectAll(error: ActivityError): void {
    for (const room of rooms.values()) for (const id of room.waiters.keys()) rejectJob(room, id, error);
  }

  async function pollAll(): Promise<void> {
    if (polling || closed) return;
    polling = true;
    try {
      // One activity after the other: a poll must not crowd out the work itself.
      for (const room of rooms.values()) await pollRoom(room);
    } finally {
      polling = false;
    }
  }

  async function pollRoom(room: Room): Promise<void> {
    const ids = [...room.waiters.keys()];
    if (ids.length === 0) return;
    try {
      await follow(room);
      await Promise.all(ids.map((id) => checks.add(room.activity, id)));
    } catch (error) {
      for (const id of ids) rejectJob(room, id, error);
    }
  }
}

function timeoutError(activity: string, id: string, timeout: number): ActivityError {
  return new ActivityError(
    "WaitTimeout",
    `${activity}/${id} did not end within ${timeout} ms; it was not cancelled, so it can be waited for again`,
    { retryable: true },
  );
}

export function expiredError(activity: string, id: string): ActivityError {
  return new ActivityError(
    "JobExpired",
    `${activity}/${id} is not in Redis: it ended and was removed after its retention, or it never was enqueued under this prefix`,
  );
}
