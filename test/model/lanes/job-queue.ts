import type { ActivityName } from "../../../jobs/contracts.ts";
import { LOCK_MS } from "../../../worker/attempt/running.ts";
import { elapsed, timeOfDay } from "../clock.ts";
import type { Place } from "../generation.ts";
import type { Scene } from "../scene.ts";

export const ATTEMPTS = 5;
const RETRY_MS = 1000;

/** What is asked for. */
export type JobWish = {
  readonly id: string;
  readonly activity: Extract<ActivityName, "move-object" | "copy-object" | "delete-object">;
  readonly data: { readonly object: Place; readonly destination?: Place; readonly onConflict?: string };
};

export type ModelJob = JobWish & {
  readonly timestamp: number;
  /** What lay at its source when it was added. */
  readonly found: number | undefined;
  state: "waiting" | "active" | "ended";
  lockedUntil: number;
  /** The run that has it. */
  token: string;
  delayedUntil: number;
  attemptsStarted: number;
  attemptsMade: number;
};

/** A job that a run has, until its lock runs out. */
export type TakenJob = { readonly job: ModelJob; readonly token: string };

/** BullMQ's part, as far as it matters here: a job is given to one worker with a lock, again once that ran out, and ended by who holds it. */
export class JobQueue {
  readonly #scene: Scene;
  readonly #jobs = new Map<string, ModelJob>();
  #runs = 0;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  add({ id, activity, data }: JobWish): void {
    this.#jobs.set(id, {
      id,
      activity,
      data,
      timestamp: timeOfDay(),
      found: this.#scene.store.current(data.object)?.id,
      state: "waiting",
      lockedUntil: 0,
      token: "",
      delayedUntil: 0,
      attemptsStarted: 0,
      attemptsMade: 0,
    });
  }

  /** An app that names its jobs itself may use the id of one that has ended. */
  get ended(): readonly JobWish[] {
    return [...this.#jobs.values()].filter(({ state }) => state === "ended");
  }

  get left(): number {
    return [...this.#jobs.values()].filter(({ state }) => state !== "ended").length;
  }

  isReady(): boolean {
    return this.#ready().length > 0;
  }

  /** Another worker may have a job that this one still works on. */
  loseALock(): void {
    const active = [...this.#jobs.values()].filter(({ state }) => state === "active");
    if (active.length > 0) this.#scene.random.pick(active).lockedUntil = 0;
  }

  /** Gives one of the jobs that wait to a run. */
  take(): Promise<TakenJob | undefined> {
    return this.#scene.redis.ask("take a job", () => {
      const ready = this.#ready();
      if (ready.length === 0) return undefined;
      const job = this.#scene.random.pick(ready);
      job.state = "active";
      job.lockedUntil = elapsed() + LOCK_MS;
      job.token = `t${++this.#runs}`;
      job.attemptsStarted += 1;
      return { job, token: job.token };
    });
  }

  /** Whether the run has it still. */
  renew(taken: TakenJob): Promise<boolean> {
    return this.#scene.redis.ask("renew a lock", () => {
      if (!owns(taken) || taken.job.lockedUntil <= elapsed()) return false;
      taken.job.lockedUntil = elapsed() + LOCK_MS;
      return true;
    });
  }

  delay(taken: TakenJob): Promise<void> {
    const until = elapsed() + RETRY_MS;
    return this.#scene.redis.ask("delay a job", () => putBack(taken, until));
  }

  handOver(taken: TakenJob): Promise<void> {
    return this.#scene.redis.ask("hand a job over", () => putBack(taken, 0));
  }

  complete(taken: TakenJob): Promise<void> {
    return this.#scene.redis.ask("complete a job", () => {
      if (owns(taken)) taken.job.state = "ended";
    });
  }

  /** Ends it, or lets it be tried again after a while. */
  fail(taken: TakenJob, error: unknown): Promise<void> {
    return this.#scene.redis.ask("fail a job", () => {
      const name = error instanceof Error ? error.name : "";
      if (!owns(taken) || name === "DelayedError" || name === "WaitingError") return;
      const { job } = taken;
      this.#complainOfOurs(job, error instanceof Error ? error : undefined);
      if (name === "UnrecoverableError" || job.attemptsMade + 1 >= ATTEMPTS) {
        job.state = "ended";
        return;
      }
      putBack(taken, elapsed() + RETRY_MS);
      job.attemptsMade += 1;
    });
  }

  /** Failures that say nothing of the history, but of the code or of the model: it was asked for what it has not. */
  #complainOfOurs({ id }: ModelJob, error: Error | undefined): void {
    const { message = "" } = error ?? {};
    const isOurs = error instanceof TypeError || /^InternalError|failure of the worker itself/.test(message);
    if (isOurs) this.#scene.truth.complain(`job ${id}: ${message}`);
  }

  #ready(): ModelJob[] {
    return [...this.#jobs.values()].filter(
      ({ state, delayedUntil, lockedUntil }) =>
        (state === "waiting" && delayedUntil <= elapsed()) || (state === "active" && lockedUntil <= elapsed()),
    );
  }
}

const owns = ({ job, token }: TakenJob): boolean => job.token === token && job.state === "active";

function putBack(taken: TakenJob, until: number): void {
  if (!owns(taken)) return;
  taken.job.state = "waiting";
  taken.job.delayedUntil = until;
}
