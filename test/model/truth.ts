import { elapsed } from "./clock.ts";
import { type Generation, type ModelStore, nameOf, type Place, type Witness } from "./store.ts";

/** What was read of an object and when: a run may delete what it saw, and what came after its look is beyond anybody's reach. */
type Look = { readonly at: number };

const SECOND = 1000;
const second = (ms: number): number => Math.floor(ms / SECOND);

/**
 * Sees everything that happens in the store, and says where content is lost that nobody gave up. What is excused is what docs/faults.md says nobody can
 * promise, and nothing else.
 */
export function createTruth(world: { readonly unheard: boolean; readonly steps: number; readonly sentAt: number }) {
  const violations: string[] = [];
  let excused = 0;
  let order = 0;
  const looks = new Map<string, Look>();
  const written = new Map<number, number>();
  const writtenIn = new Map<number, number>();
  /** Every payload that somebody outside wrote, and has not given up. */
  const owed = new Map<string, string>();
  /** What was once at a place, for results that say so. */
  const history = new Map<string, Set<string>>();
  const deletedBy = new Map<number, { readonly by: string; readonly order: number }>();
  let store: ModelStore;

  const isThere = (payload: string): boolean => {
    for (const [, one] of store.all()) if (one.payload === payload) return true;
    return false;
  };

  /** Whether what came after the last look, or what no look can tell apart, may be lost. */
  function isBeyondReach(place: Place, lost: Generation, by: string): boolean {
    if (lost.by !== "owner") return false;
    const look = looks.get(`${by} ${nameOf(place)}`);
    // Or after the request was sent that takes effect only now.
    if ((writtenIn.get(lost.id) ?? 0) >= world.sentAt) return true;
    const afterLook = look === undefined || (written.get(lost.id) ?? 0) > look.at;
    // The same bytes within one second of the pinned object's: dates are to the second.
    return afterLook || twins.has(`${nameOf(place)} ${lost.etag} ${second(lost.modified)}`);
  }
  /** Place, ETag and second of everything written, and those that were written twice. */
  const seen = new Set<string>();
  const twins = new Set<string>();

  const witness: Witness = {
    wrote(place, made) {
      order += 1;
      written.set(made.id, order);
      writtenIn.set(made.id, world.steps);
      const stamp = `${nameOf(place)} ${made.etag} ${second(made.modified)}`;
      if (seen.has(stamp)) twins.add(stamp);
      seen.add(stamp);
      const past = history.get(nameOf(place)) ?? new Set();
      history.set(nameOf(place), past.add(made.etag));
      if (made.by === "owner") owed.set(made.payload, nameOf(place));
    },
    looked(place, by) {
      if (!world.unheard) looks.set(`${by} ${nameOf(place)}`, { at: order });
    },
    destroyed(place, lost, by, how) {
      order += 1;
      deletedBy.set(lost.id, { by, order });
      if (!owed.has(lost.payload)) return;
      // Who writes over an object gives its content up, also where it was moved or copied there and the move has not ended yet.
      const another = how !== "delete" && how.payload !== lost.payload && lost.by !== "owner";
      if (by === "owner" || by.startsWith("delete ") || another) owed.delete(lost.payload);
      if (!owed.has(lost.payload) || isThere(lost.payload)) return;
      if (how !== "delete" && by.includes("overwrite")) {
        owed.delete(lost.payload);
        return;
      }
      if (isBeyondReach(place, lost, by)) {
        excused += 1;
        owed.delete(lost.payload);
        return;
      }
      owed.delete(lost.payload);
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
    complain(problem: string): void {
      violations.push(`${(elapsed() / 1000).toFixed(3)} s: ${problem}`);
    },
    etagsAt: (place: Place): ReadonlySet<string> => history.get(nameOf(place)) ?? new Set(),
    deletedBy: (id: number) => deletedBy.get(id)?.by,
    /** At the end: what is owed is somewhere. */
    account(): void {
      for (const [payload, place] of owed) if (!isThere(payload)) violations.push(`${payload} of ${place} is nowhere`);
    },
    owed: () => [...owed.keys()],
  };
}

export type Truth = ReturnType<typeof createTruth>;
