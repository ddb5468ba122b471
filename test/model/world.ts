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

/** What becomes of a request: some never reach the store, of others nobody hears. */
type Fate = "refused" | "held back" | "answer lost" | "done";

/** Everything that waits, and what becomes of it, decided by a seed. */
export class World {
  readonly random: Random;
  /** The last lines of what happened. */
  readonly log: string[] = [];
  #pending: Pending[] = [];
  #late: Late[] = [];
  #steps = 0;

  constructor(random: Random) {
    this.random = random;
  }

  get steps(): number {
    return this.#steps;
  }

  note(line: string): void {
    this.log.push(`${String(this.#steps).padStart(5)} ${(elapsed() / 1000).toFixed(3).padStart(8)} s  ${line}`);
    if (this.log.length > 400) this.log.shift();
  }

  /** Sends something; it takes effect when the scheduler says so. */
  perform<Result>(to: Pending["to"], name: string, effect: () => Result, signal?: AbortSignal): Promise<Result> {
    const actor = actorNow();
    return new Promise<Result>((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      const onAbort = (): void => {
        this.#giveUp(one);
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
      this.#pending.push(one);
    });
  }

  /** Whether somebody waits for the store to look at an object: what follows is a delete. */
  isLooking(actor: Actor): boolean {
    return this.#pending.some(
      ({ actor: by, to, name, done }) => !done && by === actor && to === "store" && name.includes(" HeadObject"),
    );
  }

  /** What a dead worker had sent: each request may have reached the store or not. */
  bury(actor: Actor): void {
    for (const one of this.#pending)
      if (one.actor === actor && one.to === "store" && this.random.next() < 0.5) this.#holdBack(one);
    this.#pending = this.#pending.filter((one) => one.actor !== actor);
  }

  jump(ms: number): void {
    goTo(elapsed() + ms);
  }

  /** Takes one step: something late arrives, a request takes effect, or time goes on to the next timer. False where nothing can happen before it does. */
  step(weather: Weather): boolean {
    this.#steps += 1;
    goTo(elapsed() + this.random.between(0, 30));
    this.#pending = this.#pending.filter(({ done }) => !done);
    this.#late = this.#late.filter(({ until }) => until > elapsed());
    if (this.#late.length > 0 && this.random.next() < weather.arrives) {
      this.#arriveLate();
      return true;
    }
    const ready = this.#pending.filter(mayGo);
    if (ready.length > 0) {
      this.#take(this.random.pick(ready), weather);
      return true;
    }
    const next = nextTimer();
    if (next === undefined) return false;
    goTo(next);
    return true;
  }

  #arriveLate(): void {
    const [one] = this.#late.splice(this.random.integer(0, this.#late.length - 1), 1);
    this.note(`late: ${one?.name ?? ""}`);
    try {
      one?.effect();
    } catch {
      // Refused, and nobody hears of it.
    }
  }

  /** One request takes effect, or goes wrong. */
  #take(one: Pending, weather: Weather): void {
    const dice = this.random.next();
    const fate = one.to === "store" ? fateOf(one, weather, dice) : "done";
    if (fate === "refused") {
      this.note(`${nameOf(one)}: refused`);
      settle(one, () => one.reject(new Busy("Please reduce your request rate")));
    } else if (fate === "held back") {
      this.note(`${nameOf(one)}: cut off, on its way`);
      this.#holdBack(one);
      settle(one, () => one.reject(new ConnectionLost("socket hang up")));
    } else this.#takeEffect(one, fate === "done");
  }

  #takeEffect(one: Pending, isHeard: boolean): void {
    let value: unknown;
    try {
      value = one.effect();
    } catch (error) {
      this.note(`${nameOf(one)}: ${error instanceof Error ? error.name : "fails"}`);
      settle(one, () => one.reject(error));
      return;
    }
    this.note(isHeard ? nameOf(one) : `${nameOf(one)}: done, answer lost`);
    settle(one, () => (isHeard ? one.resolve(value) : one.reject(new ConnectionLost("socket hang up"))));
  }

  /** Its caller waits no longer; what was sent may be on its way. */
  #giveUp(one: Pending): void {
    one.done = true;
    if (this.random.next() < 0.5) this.#holdBack(one);
    this.note(`${one.actor?.name ?? "-"} gives ${one.name} up`);
  }

  #holdBack(one: Pending): void {
    this.#late.push({ effect: one.effect, name: nameOf(one), until: elapsed() + LATEST_MS });
  }
}

const nameOf = ({ actor, name }: Pending): string => `${actor?.name ?? "-"} ${name}`;

const mayGo = ({ to, actor }: Pending): boolean => to === "store" || (actor?.cutOffUntil ?? 0) <= elapsed();

function fateOf({ name }: Pending, weather: Weather, dice: number): Fate {
  const late = name.includes(" DeleteObject") ? (weather.lateDeletes ?? weather.late) : weather.late;
  if (dice < weather.refused) return "refused";
  if (dice < weather.refused + late) return "held back";
  return dice < weather.refused + late + weather.lost ? "answer lost" : "done";
}

/** Answers in the name of who asked, unless it is dead. */
function settle(one: Pending, answer: () => void): void {
  one.done = true;
  if (one.actor?.dead === true) return;
  if (one.actor === undefined) answer();
  else actAs(one.actor, answer);
}
