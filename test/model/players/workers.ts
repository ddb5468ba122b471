import { type Actor, actAs } from "../actor.ts";
import { elapsed } from "../clock.ts";
import type { Scene } from "../scene.ts";

/** Where work waits, and how one piece of it is done. */
export type Lane = { readonly isReady: () => boolean; readonly deliver: () => Promise<void> };

/** So many processes at most, with those that died. */
const MOST_WORKERS = 7;

/** The worker processes of a history, each with a clock and a line to Redis of its own. */
export class Workers {
  readonly #scene: Scene;
  readonly #all: Actor[] = [];
  readonly #busy = new Set<Actor>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  get areIdle(): boolean {
    return this.#busy.size === 0;
  }

  hire(): void {
    const { random } = this.#scene;
    const skew = random.next() < 0.2 ? random.pick([-3_600_000, 3_600_000, 1500]) : 0;
    this.#all.push({ name: `w${this.#all.length + 1}`, dead: false, skew, cutOffUntil: 0 });
  }

  /** Whoever has nothing to do takes what waits in one of two lanes. */
  employ(jobs: Lane, batches: Lane): void {
    for (const worker of this.#all) {
      if (worker.dead || this.#busy.has(worker)) continue;
      const lane = this.#scene.random.next() < 0.5 ? jobs : batches;
      if (lane.isReady()) this.#work(worker, lane);
    }
  }

  #work(worker: Actor, lane: Lane): void {
    this.#busy.add(worker);
    void actAs(worker, lane.deliver)
      .catch((error: unknown) =>
        this.#scene.truth.complain(
          `a worker fell over: ${error instanceof Error ? (error.stack ?? "") : String(error)}`,
        ),
      )
      .finally(() => this.#busy.delete(worker));
  }

  /** One of them dies, with what it was about to do; another is hired. */
  die(): void {
    const worker = this.#anyone();
    if (worker.dead || this.#all.length >= MOST_WORKERS) return;
    worker.dead = true;
    this.#busy.delete(worker);
    this.#scene.world.note(`${worker.name} dies`);
    this.#scene.world.bury(worker);
    this.hire();
  }

  loseRedis(): void {
    const { random, world } = this.#scene;
    const worker = this.#anyone();
    worker.cutOffUntil = elapsed() + random.pick([2000, 20_000, 60_000]);
    world.note(`${worker.name} is cut off from Redis`);
  }

  /** One that is about to delete hears nothing of Redis for a minute. `undefined` where nobody is. */
  loseRedisBeforeDelete(): Actor | undefined {
    const { random, world } = this.#scene;
    const looking = [...this.#busy].filter((worker) => world.isLooking(worker));
    if (looking.length === 0) return undefined;
    const worker = random.pick(looking);
    worker.cutOffUntil = elapsed() + 60_000;
    return worker;
  }

  stepClock(): void {
    this.#anyone().skew += this.#scene.random.pick([-3_600_000, 60_000, 3_600_000]);
  }

  /** At the end of a history nobody goes on. */
  end(): void {
    for (const worker of this.#all) worker.dead = true;
  }

  #anyone(): Actor {
    return this.#scene.random.pick(this.#all);
  }
}
