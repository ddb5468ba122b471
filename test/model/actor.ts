import { AsyncLocalStorage } from "node:async_hooks";

/** A worker process of the model: what runs in its name ends with it, and goes by its clock. */
export type Actor = {
  readonly name: string;
  /** Crashed: none of its timers fires, none of its requests is answered. */
  dead: boolean;
  /** By how much its clock of the day is wrong, in ms. */
  skew: number;
  /** Redis does not answer it before, in ms of the model's time. */
  cutOffUntil: number;
};

const current = new AsyncLocalStorage<Actor>();

export const actorNow = (): Actor | undefined => current.getStore();

export function actAs<Result>(actor: Actor, work: () => Result): Result {
  return current.run(actor, work);
}
