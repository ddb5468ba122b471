import type { ActivityName } from "../../jobs/contracts.ts";
import { ActivityError } from "../../model/activity-error.ts";
import type { JobEvents } from "./events.ts";
import type { Ended, Outcome } from "./outcome.ts";

/** One wait for one job. */
export type Waiter = { readonly settle: (ended: Ended) => void; readonly reject: (error: unknown) => void };

/** The waits for one activity. */
export type Room = {
  readonly activity: ActivityName;
  readonly waiters: Map<string, Set<Waiter>>;
  events: Promise<JobEvents> | undefined;
  idle: NodeJS.Timeout | undefined;
};

/** A room for each activity that somebody waited for. */
export type WaitingRooms = Map<ActivityName, Room>;

export function roomOf(rooms: WaitingRooms, activity: ActivityName): Room {
  const room = rooms.get(activity) ?? { activity, waiters: new Map(), events: undefined, idle: undefined };
  rooms.set(activity, room);
  return room;
}

export function enter(room: Room, id: string, waiter: Waiter): void {
  const waiters = room.waiters.get(id) ?? new Set();
  room.waiters.set(id, waiters.add(waiter));
}

export function leave(room: Room, id: string, waiter: Waiter): void {
  const waiters = room.waiters.get(id);
  waiters?.delete(waiter);
  if (waiters?.size === 0) room.waiters.delete(id);
}

export function isEmpty(rooms: WaitingRooms): boolean {
  return [...rooms.values()].every(({ waiters }) => waiters.size === 0);
}

/** Tells those who wait for a job what became of it. `known`: what an event told of a job that is gone by now. */
export function settleAll(room: Room, id: string, outcome: Outcome, known?: ActivityError): void {
  if (outcome.kind === "pending") return;
  if (outcome.kind !== "missing") for (const waiter of room.waiters.get(id) ?? []) waiter.settle(outcome);
  else if (known) settleAll(room, id, { kind: "failed", error: known });
  else rejectJob(room, id, expiredError(room.activity, id));
}

export function rejectJob(room: Room, id: string, error: unknown): void {
  for (const waiter of room.waiters.get(id) ?? []) waiter.reject(error);
}

export function rejectAll(rooms: WaitingRooms, error: ActivityError): void {
  for (const room of rooms.values()) for (const id of room.waiters.keys()) rejectJob(room, id, error);
}

function expiredError(activity: string, id: string): ActivityError {
  return new ActivityError(
    "JobExpired",
    `${activity}/${id} is not in Redis: it ended and was removed after its retention, or it never was enqueued under this prefix`,
  );
}
