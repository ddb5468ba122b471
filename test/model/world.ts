import { type Random } from "../faults/random.ts";
import { type Actor, actAs, actorNow } from "./actor.ts";
import { elapsed, goTo, nextTimer } from "./clock.ts";

/** A request that somebody waits for, until the scheduler takes it. */
type Pending = {
  readonly to: "store" | "redis";
  readonly name: string;
  readonly actor: Actor | undefined;
  readonly effect: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
  done: boolean;
};

/** A request that nobody waits for any more, and that may still take effect. */
type Late = {
  readonly effect: () => unknown;
  readonly name: string;
  readonly until: number;
};

/** How often each thing goes wrong, from 0 to 1 for each step. */
export type Weather = {
  readonly lost: number;
  readonly refused: number;
  readonly late: number;
  /** The same for what deletes; default `late`. */
  readonly lateDeletes?: number;
  /** How soon something takes effect that nobody waits for any more. */
  readonly arrives: number;
};

export const CALM: Weather = { lost: 0, refused: 0, late: 0, arrives: 0.15 };

/** For so long a store may hold a request back that nobody waits for any more, in ms: less than objects stay taken. */
const LATEST_MS = 10_000;

export class ConnectionLost extends Error {
  readonly code = "ECONNRESET";
  override readonly name = "Error";
}
export class Busy extends Error {
  override readonly name = "SlowDown";
  readonly $metadata = { httpStatusCode: 503, requestId: "model" };
}

/** Everything that waits, and what becomes of it, decided by a seed. */
export type World = ReturnType<typeof createWorld>;

export function createWorld(random: Random) {
  let pending: Pending[] = [];
  let late: Late[] = [];
  let steps = 0;
  const log: string[] = [];
  const note = (line: string): void => {
    log.push(`${String(steps).padStart(5)} ${(elapsed() / 1000).toFixed(3).padStart(8)} s  ${line}`);
    if (log.length > 400) log.shift();
  };

  /** Sends something; it takes effect when the scheduler says so. */
  function perform<Result>(
    to: Pending["to"],
    name: string,
    effect: () => Result,
    signal?: AbortSignal,
  ): Promise<Result> {
    const actor = actorNow();
    return new Promise<Result>((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = (): void => {
        one.done = true;
        // What was sent may be on its way.
        if (random.next() < 0.5) holdBack(one);
        note(`${actor?.name ?? "-"} gives ${name} up`);
        reject(signal?.reason as Error);
      };
      const one: Pending = {
        to,
        name,
        actor,
        effect,
        resolve: (value) => {
          signal?.removeEventListener("abort", onAbort);
          resolve(value as Result);
        },
        reject: (reason) => {
          signal?.removeEventListener("abort", onAbort);
          reject(reason);
        },
        done: false,
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      pending.push(one);
    });
  }

  function holdBack({ effect, name, actor }: Pending): void {
    late.push({ effect, name: `${actor?.name ?? "-"} ${name}`, until: elapsed() + LATEST_MS });
  }

  const settle = (one: Pending, how: () => void): void => {
    one.done = true;
    if (one.actor?.dead === true) return;
    if (one.actor === undefined) how();
    else actAs(one.actor, how);
  };

  /** One request takes effect, or goes wrong. */
  function take(one: Pending, weather: Weather): void {
    const dice = random.next();
    const who = `${one.actor?.name ?? "-"} ${one.name}`;
    const heldBack = one.name.includes(" DeleteObject") ? (weather.lateDeletes ?? weather.late) : weather.late;
    if (one.to === "store" && dice < weather.refused) {
      note(`${who}: refused`);
      settle(one, () => one.reject(new Busy("Please reduce your request rate")));
      return;
    }
    if (one.to === "store" && dice < weather.refused + heldBack) {
      note(`${who}: cut off, on its way`);
      holdBack(one);
      settle(one, () => one.reject(new ConnectionLost("socket hang up")));
      return;
    }
    let value: unknown;
    try {
      value = one.effect();
    } catch (error) {
      note(`${who}: ${error instanceof Error ? error.name : "fails"}`);
      settle(one, () => one.reject(error));
      return;
    }
    if (one.to === "store" && dice < weather.refused + heldBack + weather.lost) {
      note(`${who}: done, answer lost`);
      settle(one, () => one.reject(new ConnectionLost("socket hang up")));
      return;
    }
    note(who);
    settle(one, () => one.resolve(value));
  }

  const mayGo = ({ to, actor }: Pending): boolean => to === "store" || (actor?.cutOffUntil ?? 0) <= elapsed();

  return {
    random,
    log,
    note,
    perform,
    get steps() {
      return steps;
    },
    /** What waits to be answered, of somebody alive. */
    get waiting() {
      return pending.length;
    },
    /** Whether somebody waits for the store to look at an object: what follows is a delete. */
    isLooking: (actor: Actor): boolean =>
      pending.some(
        ({ actor: by, to, name, done }) => !done && by === actor && to === "store" && name.includes(" HeadObject"),
      ),
    /** What a dead worker had sent: each request may have reached the store or not. */
    bury(actor: Actor): void {
      for (const one of pending) if (one.actor === actor && one.to === "store" && random.next() < 0.5) holdBack(one);
      pending = pending.filter((one) => one.actor !== actor);
    },
    /** Takes one step: false where nothing can happen before time goes on. */
    step(weather: Weather): boolean {
      steps += 1;
      goTo(elapsed() + random.between(0, 30));
      pending = pending.filter(({ done }) => !done);
      late = late.filter(({ until }) => until > elapsed());
      if (late.length > 0 && random.next() < weather.arrives) {
        const [one] = late.splice(random.integer(0, late.length - 1), 1);
        note(`late: ${one?.name ?? ""}`);
        try {
          one?.effect();
        } catch {
          // Refused, and nobody hears of it.
        }
        return true;
      }
      const ready = pending.filter(mayGo);
      if (ready.length > 0) {
        take(random.pick(ready), weather);
        return true;
      }
      const next = nextTimer();
      if (next === undefined) return false;
      goTo(next);
      return true;
    },
    /** Drops what is on its way: for the end. */
    calmDown(): void {
      late = [];
    },
    jump(ms: number): void {
      goTo(elapsed() + ms);
    },
  };
}
