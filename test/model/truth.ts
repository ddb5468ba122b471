import { elapsed } from "./clock.ts";
import {
  type Enforced,
  type Generation,
  type Look,
  type ModelStore,
  nameOf,
  type Overwrite,
  type Place,
  type Sent,
  type Versioning,
  type Witness,
} from "./store.ts";

const SECOND = 1000;
const second = (ms: number): number => Math.floor(ms / SECOND);

/** What may not be lost whatever happens, and how losses come about that nobody can prevent. */
export type Terms = {
  readonly versioning: Versioning;
  readonly enforced: Enforced;
};

/**
 * Sees everything that happens in the store, and says where content is lost that nobody gave up. What is excused is what docs/faults.md says nobody can
 * promise, and nothing else.
 */
export function createTruth({ versioning, enforced }: Terms) {
  const violations: string[] = [];
  let excused = 0;
  let order = 0;
  let epoch = 0;
  /** By run and place: what it was told last, as long as it has sent nothing about it since. */
  const looks = new Map<string, Look>();
  let current: Sent | undefined;
  const written = new Map<number, number>();
  /** Every payload that somebody outside wrote, and has not given up. */
  const owed = new Map<string, string>();
  /** What was once at a place, for results that say so. */
  const history = new Map<string, Set<string>>();
  const deletedBy = new Map<number, { readonly by: string; readonly order: number }>();
  /** By generation: the batch whose row says that it is kept. */
  const saidKept = new Map<number, { readonly batch: string; readonly order: number }>();
  /** A lock was lost before its time: two runs may be at work for a moment. */
  let twoAtOnce = false;
  /** Place, ETag and second of everything written, and those that were written twice. */
  const seen = new Set<string>();
  const twins = new Set<string>();
  let store: ModelStore;

  const isThere = (payload: string): boolean => {
    for (const [, one] of store.all()) if (one.payload === payload) return true;
    return false;
  };

  /**
   * Whether this loss is of those that docs/faults.md names: the run had looked, sent its request at once, and what was lost came between the look and
   * the effect; or it is the pinned object's twin of the same second; or the request was on its way when Redis forgot who had these objects to itself.
   * Nothing is excused where versions keep everything, nothing of other bytes where the store enforces the condition, and else no copy of ours.
   */
  function isBeyondReach(place: Place, lost: Generation, how: "delete" | Overwrite): boolean {
    if (versioning === "on" || current === undefined) return false;
    if (lost.by !== "owner") return current.epoch !== epoch && (how === "delete" || !enforced.write);
    const look = current.covers.get(nameOf(place));
    if (look === undefined) return false;
    if (how !== "delete") return !enforced.write && (written.get(lost.id) ?? 0) > look.order;
    const refuses = current.operation === "DeleteObjects" ? enforced.multiDelete : enforced.delete;
    if (refuses && lost.etag !== look.etag) return false;
    if ((written.get(lost.id) ?? 0) > look.order) return true;
    return lost.etag === look.etag && twins.has(`${nameOf(place)} ${lost.etag} ${second(lost.modified)}`);
  }

  const witness: Witness = {
    sends(by, operation, places) {
      const names = places.map(nameOf);
      const covers = new Map(names.map((name) => [name, looks.get(`${by} ${name}`)]));
      for (const name of names) looks.delete(`${by} ${name}`);
      return { by, at: order, operation, covers, epoch, looks: new Map() };
    },
    during(sent, effect) {
      current = sent;
      try {
        return effect();
      } finally {
        current = undefined;
      }
    },
    heard({ by, looks: had }) {
      for (const [name, look] of had) looks.set(`${by} ${name}`, look);
    },
    looked(place, found) {
      current?.looks.set(nameOf(place), { order, etag: found?.etag, modified: found?.modified ?? 0 });
    },
    wrote(place, made) {
      order += 1;
      written.set(made.id, order);
      const stamp = `${nameOf(place)} ${made.etag} ${second(made.modified)}`;
      if (seen.has(stamp)) twins.add(stamp);
      seen.add(stamp);
      const past = history.get(nameOf(place)) ?? new Set();
      history.set(nameOf(place), past.add(made.etag));
      if (made.by === "owner") owed.set(made.payload, nameOf(place));
    },
    destroyed(place, lost, by, how) {
      order += 1;
      deletedBy.set(lost.id, { by, order });
      const kept = saidKept.get(lost.id);
      if (how === "delete" && kept !== undefined && by.startsWith(kept.batch) && (current?.at ?? 0) >= kept.order)
        violations.push(`${by} sent a delete of ${nameOf(place)} after a row had said that it is kept`);
      if (!owed.has(lost.payload)) return;
      // Whoever deletes by name, or writes over what is there, was asked to.
      const meant =
        by === "owner" || /^delete(-batch)? /.test(by) || (how !== "delete" && /overwrite|skip-identical/.test(by));
      const another = how === "delete" || how.payload !== lost.payload;
      if (meant && another) owed.delete(lost.payload);
      if (!owed.has(lost.payload) || isThere(lost.payload)) return;
      owed.delete(lost.payload);
      if (isBeyondReach(place, lost, how)) {
        excused += 1;
        return;
      }
      violations.push(
        `${(elapsed() / 1000).toFixed(3)} s: ${by} took the last of ${lost.payload} (${how === "delete" ? how : "overwritten"} at ${nameOf(place)}, written by ${lost.by})`,
      );
    },
  };

  return {
    witness,
    violations,
    get excused() {
      return excused;
    },
    watch(watched: ModelStore): void {
      store = watched;
    },
    /** Redis went back in time. */
    forgot(): void {
      epoch += 1;
    },
    complain(problem: string): void {
      violations.push(`${(elapsed() / 1000).toFixed(3)} s: ${problem}`);
    },
    etagsAt: (place: Place): ReadonlySet<string> => history.get(nameOf(place)) ?? new Set(),
    disturbed(): void {
      twoAtOnce = true;
    },
    /** A row of this batch, which no other run of it is to belie. */
    saysKept(id: number, batch: string): void {
      order += 1;
      if (!twoAtOnce && epoch === 0) saidKept.set(id, { batch, order });
    },
    deletedBy: (id: number) => deletedBy.get(id)?.by,
    /** Whether this was deleted by a run that lost its lock before its time, while another one looked. */
    deletedMeanwhile: (id: number, by: string) =>
      (twoAtOnce || epoch > 0) && deletedBy.has(id) && deletedBy.get(id)?.by !== by,
    /** At the end: what is owed is somewhere. */
    account(): void {
      for (const [payload, place] of owed) if (!isThere(payload)) violations.push(`${payload} of ${place} is nowhere`);
    },
    owed: () => [...owed.keys()],
  };
}

export type Truth = ReturnType<typeof createTruth>;
