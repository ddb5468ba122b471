import { elapsed } from "../clock.ts";
import { type Generation, nameOf, type Place } from "../generation.ts";
import type { Enforced, ModelStore, Versioning } from "../store.ts";
import { type How, isExcused, isGivenUp } from "./losses.ts";
import type { Look, Sent, Witness } from "./witness.ts";

const SECOND = 1000;

/**
 * Sees everything that happens in the store, remembers what judging needs of it, and says where content is lost that nobody gave up. What jobs and rows
 * claim is compared with it in results.ts and rows.ts.
 */
export class Truth implements Witness {
  readonly violations: string[] = [];
  readonly #versioning: Versioning;
  readonly #enforced: Enforced;
  #store: ModelStore | undefined;
  #excused = 0;
  /** How many events there were. */
  #order = 0;
  /** How often Redis went back in time. */
  #epoch = 0;
  /** A lock was lost before its time: two runs may be at work for a moment. */
  #twoAtOnce = false;
  /** The request that takes effect just now. */
  #current: Sent | undefined;
  /** By run and place: what it was told last, as long as it has sent nothing about it since. */
  readonly #looks = new Map<string, Look>();
  /** By generation: after how many events it came. */
  readonly #written = new Map<number, number>();
  readonly #deletedBy = new Map<number, string>();
  /** Every payload that somebody outside wrote, and has not given up. */
  readonly #owed = new Map<string, string>();
  /** What was once at a place, for results that say so. */
  readonly #history = new Map<string, Set<string>>();
  /** By generation: the batch whose row says that it is kept. */
  readonly #saidKept = new Map<number, { readonly batch: string; readonly order: number }>();
  /** Place, ETag and second of everything written, and those that were written twice. */
  readonly #stamps = new Set<string>();
  readonly #twins = new Set<string>();

  constructor({ versioning, enforced }: { readonly versioning: Versioning; readonly enforced: Enforced }) {
    this.#versioning = versioning;
    this.#enforced = enforced;
  }

  get excused(): number {
    return this.#excused;
  }

  watch(store: ModelStore): void {
    this.#store = store;
  }

  complain(problem: string): void {
    this.violations.push(`${(elapsed() / 1000).toFixed(3)} s: ${problem}`);
  }

  sends(by: string, operation: string, places: readonly Place[]): Sent {
    const names = places.map(nameOf);
    const covers = new Map(names.map((name) => [name, this.#looks.get(`${by} ${name}`)]));
    for (const name of names) this.#looks.delete(`${by} ${name}`);
    return { by, at: this.#order, operation, covers, epoch: this.#epoch, looks: new Map() };
  }

  during<Result>(sent: Sent, effect: () => Result): Result {
    this.#current = sent;
    try {
      return effect();
    } finally {
      this.#current = undefined;
    }
  }

  heard({ by, looks }: Sent): void {
    for (const [name, look] of looks) this.#looks.set(`${by} ${name}`, look);
  }

  looked(place: Place, found: Generation | undefined): void {
    const look = { order: this.#order, etag: found?.etag, modified: found?.modified ?? 0 };
    this.#current?.looks.set(nameOf(place), look);
  }

  wrote(place: Place, made: Generation): void {
    this.#order += 1;
    this.#written.set(made.id, this.#order);
    const stamp = stampOf(place, made);
    if (this.#stamps.has(stamp)) this.#twins.add(stamp);
    this.#stamps.add(stamp);
    const past = this.#history.get(nameOf(place)) ?? new Set();
    this.#history.set(nameOf(place), past.add(made.etag));
    if (made.by === "owner") this.#owed.set(made.payload, nameOf(place));
  }

  destroyed(place: Place, lost: Generation, by: string, how: How): void {
    this.#order += 1;
    this.#deletedBy.set(lost.id, by);
    if (how === "delete") this.#keepsToRows(place, lost, by);
    this.#keepsWhatIsOwed(place, lost, by, how);
  }

  /** Rule: a batch sends no delete of what a row of it said is kept. */
  #keepsToRows(place: Place, lost: Generation, by: string): void {
    const kept = this.#saidKept.get(lost.id);
    if (kept !== undefined && by.startsWith(kept.batch) && (this.#current?.at ?? 0) >= kept.order)
      this.violations.push(`${by} sent a delete of ${nameOf(place)} after a row had said that it is kept`);
  }

  /** Rule: nobody takes the last of a content that somebody wrote and did not give up. */
  #keepsWhatIsOwed(place: Place, lost: Generation, by: string, how: How): void {
    const { payload } = lost;
    if (!this.#owed.has(payload)) return;
    const givenUp = isGivenUp(lost, by, how);
    if (!givenUp && this.#isThere(payload)) return;
    this.#owed.delete(payload);
    if (givenUp) return;
    if (this.#isBeyondReach(place, lost, how)) this.#excused += 1;
    else
      this.complain(
        `${by} took the last of ${payload} (${how === "delete" ? how : "overwritten"} at ${nameOf(place)}, written by ${lost.by})`,
      );
  }

  #isBeyondReach(place: Place, lost: Generation, how: How): boolean {
    const sent = this.#current;
    if (this.#versioning === "on" || sent === undefined) return false;
    const look = sent.covers.get(nameOf(place));
    return isExcused({
      lost,
      how,
      sent,
      look,
      enforced: this.#enforced,
      redisForgot: sent.epoch !== this.#epoch,
      cameAfterLook: look !== undefined && (this.#written.get(lost.id) ?? 0) > look.order,
      hasTwin: this.#twins.has(stampOf(place, lost)),
    });
  }

  #isThere(payload: string): boolean {
    for (const [, one] of this.#store?.all() ?? []) if (one.payload === payload) return true;
    return false;
  }

  /** At the end: what is owed is somewhere. */
  account(): void {
    for (const [payload, place] of this.#owed)
      if (!this.#isThere(payload)) this.violations.push(`${payload} of ${place} is nowhere`);
  }

  /** Redis went back in time. */
  forgot(): void {
    this.#epoch += 1;
  }

  disturbed(): void {
    this.#twoAtOnce = true;
  }

  /** A row of this batch, which no other run of it is to belie. */
  saysKept(id: number, batch: string): void {
    this.#order += 1;
    if (!this.#twoAtOnce && this.#epoch === 0) this.#saidKept.set(id, { batch, order: this.#order });
  }

  etagsAt(place: Place): ReadonlySet<string> {
    return this.#history.get(nameOf(place)) ?? new Set();
  }

  deletedBy(id: number): string | undefined {
    return this.#deletedBy.get(id);
  }

  /** Whether this was deleted by a run that lost its lock before its time, while another one looked. */
  deletedMeanwhile(id: number, by: string): boolean {
    return (this.#twoAtOnce || this.#epoch > 0) && this.#deletedBy.has(id) && this.#deletedBy.get(id) !== by;
  }
}

/** What a store tells of an object: the same for two of the same bytes that were written within one second. */
function stampOf(place: Place, { etag, modified }: Generation): string {
  return `${nameOf(place)} ${etag} ${Math.floor(modified / SECOND)}`;
}
