import { syncBuiltinESMExports } from "node:module";
import * as promises from "node:timers/promises";
import { createRequire } from "node:module";
import { actAs, type Actor, actorNow } from "./actor.ts";

/*
 * Time that only goes on when the model says so. The code under test keeps its own calls: `setTimeout`, `Date.now`, `performance.now` and
 * `timers/promises` are this clock's once it is installed.
 */
type Timer = {
  readonly id: number;
  at: number;
  readonly every: number | undefined;
  readonly run: () => void;
  actor: Actor | undefined;
};

/** 2026, early in a second: what is written and moved within it has one date. */
const START = Date.UTC(2026, 0, 1) + 20;

let now = 0;
let nextId = 1;
let timers = new Map<number, Timer>();

/** Milliseconds since the run began; the store's and Redis' clocks are this one. */
export const elapsed = (): number => now;
/** The true time of day. */
export const timeOfDay = (): number => START + now;

/** What Node returns: code under test calls these on it. */
class Handle {
  readonly id: number;
  constructor(id: number) {
    this.id = id;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  [Symbol.toPrimitive](): number {
    return this.id;
  }
}

function add(run: () => void, ms: number, repeat: boolean): Handle {
  const wait = Math.max(1, Number.isFinite(ms) ? ms : 1);
  const id = nextId++;
  timers.set(id, { id, at: now + wait, every: repeat ? wait : undefined, run, actor: actorNow() });
  return new Handle(id);
}

function remove(handle: unknown): void {
  if (handle instanceof Handle) timers.delete(handle.id);
}

export function resetClock(): void {
  now = 0;
  timers = new Map();
}

/** When the next timer of somebody alive fires. */
export function nextTimer(): number | undefined {
  let next: number | undefined;
  for (const { at, actor } of timers.values()) if (actor?.dead !== true && (next === undefined || at < next)) next = at;
  return next;
}

/** Goes on to a time, firing on the way what is due, each timer in the name of who set it. */
export function goTo(time: number): void {
  for (;;) {
    let due: Timer | undefined;
    for (const timer of timers.values()) if (timer.at <= time && (due === undefined || timer.at < due.at)) due = timer;
    if (due === undefined) break;
    now = Math.max(now, due.at);
    if (due.every === undefined) timers.delete(due.id);
    else due.at = now + due.every;
    if (due.actor === undefined) due.run();
    else if (due.actor.dead) timers.delete(due.id);
    else actAs(due.actor, due.run);
  }
  now = Math.max(now, time);
}

/** Waits in the model's time; rejects with an AbortError where the signal ends it, as Node's does. */
async function sleep<Value>(ms = 1, value?: Value, { signal }: { signal?: AbortSignal } = {}): Promise<Value> {
  return await new Promise<Value>((resolve, reject) => {
    const fail = (): void => {
      remove(handle);
      reject(Object.assign(new Error("The operation was aborted"), { name: "AbortError", code: "ABORT_ERR" }));
    };
    const handle = add(
      () => {
        signal?.removeEventListener("abort", fail);
        resolve(value as Value);
      },
      ms,
      false,
    );
    if (signal?.aborted === true) fail();
    else signal?.addEventListener("abort", fail, { once: true });
  });
}

/** Before any code under test is loaded. */
export function installClock(): void {
  const schedule =
    (repeat: boolean) =>
    (run: (...args: unknown[]) => void, ms = 1, ...args: unknown[]): Handle =>
      add(() => run(...args), ms, repeat);
  Object.assign(globalThis, {
    setTimeout: schedule(false),
    setInterval: schedule(true),
    clearTimeout: remove,
    clearInterval: remove,
  });
  Date.now = () => timeOfDay() + (actorNow()?.skew ?? 0);
  performance.now = () => now;
  const builtin = createRequire(import.meta.url)("node:timers/promises") as { setTimeout: typeof promises.setTimeout };
  builtin.setTimeout = sleep as typeof promises.setTimeout; // what the code under test uses of it
  syncBuiltinESMExports();
}
