import { createRandom, type Random } from "../faults/random.ts";
import type { Verb } from "./lanes/batch.ts";
import type { Enforced, Versioning } from "./store.ts";
import { CALM, type Weather } from "./world.ts";

/** What can go wrong between two steps. */
export type Trouble =
  | "more work"
  | "others write"
  | "others delete"
  | "a worker dies"
  | "a lock is lost"
  | "Redis goes back"
  | "a worker is cut off"
  | "a clock steps"
  | "batches are cancelled"
  | "the store asks for time"
  | "a worker is cut off in a storm"
  | "Redis is saved";

/** How often for each step; one thing at most happens between two. */
const USUAL: Readonly<Record<Trouble, number>> = {
  "more work": 0.03,
  "others write": 0.02,
  "others delete": 0.001,
  "a worker dies": 0.01,
  "a lock is lost": 0.005,
  "Redis goes back": 0.005,
  "a worker is cut off": 0.005,
  "a clock steps": 0.005,
  "batches are cancelled": 0.003,
  "the store asks for time": 0.001,
  "a worker is cut off in a storm": 0.0005,
  "Redis is saved": 0.017,
};

/** What a history is like; few objects and much trouble meet more often. */
export type Profile = {
  readonly keys: number;
  readonly versioning: Versioning;
  readonly enforced: Enforced;
  readonly weather: Weather;
  readonly troubles: Readonly<Record<Trouble, number>>;
  /** Where work goes: from the first bucket to the other, to and fro in turn, or as it comes. */
  readonly ways: "one" | "crossing" | "any";
  /** How much of the work is batches. */
  readonly batches: number;
  readonly verbs: readonly Verb[];
  /** No job copies or deletes. */
  readonly onlyMoves: boolean;
  readonly conflicts: readonly string[];
  /** How often an id comes again, of a job that has ended. */
  readonly sameId: number;
  /** How often a job with an id of before also works on the same object. */
  readonly sameObject: number;
  /** How often others write the same bytes again. */
  readonly sameBytes: number;
  /** How old the first objects are, in ms. */
  readonly age: number;
  /** How often a null version lies below an object, where versioning is suspended. */
  readonly below: number;
  /** Jobs and batches at the start, and those that come later. */
  readonly start: number;
  readonly more: number;
};

const ENFORCED: readonly Enforced[] = [
  { copySource: true, write: true, delete: true, multiDelete: true },
  { copySource: false, write: false, delete: false, multiDelete: false },
  { copySource: true, write: false, delete: false, multiDelete: false },
  { copySource: true, write: true, delete: false, multiDelete: false },
];
const MIXED: Weather = { lost: 0.05, refused: 0.03, late: 0.05, arrives: 0.15 };
const ROUGH: Weather = { lost: 0.15, refused: 0.1, late: 0.1, arrives: 0.15 };

type Special = Partial<Omit<Profile, "troubles">> & { readonly often?: Partial<Record<Trouble, number>> };

/** A few objects that go one way, and nobody who cares for what lies there. */
const ONE_WAY: Special = { ways: "one", conflicts: ["overwrite"], verbs: ["move"], start: 1, more: 1, weather: CALM };
const QUIET: Special["often"] = {
  "others write": 0.002,
  "Redis goes back": 0,
  "a clock steps": 0,
  "a worker is cut off": 0,
};

/** Half of all histories are of everything; of the others each dwells on what seldom meets by chance. */
const SPECIAL: readonly ((random: Random) => Special)[] = [
  // A request of an earlier run comes late, when the object is back.
  () => ({
    keys: 1,
    batches: 0,
    ways: "crossing",
    conflicts: ["overwrite"],
    weather: { ...CALM, lateDeletes: 0.75, arrives: 0.015 },
    onlyMoves: true,
    age: 3000,
    versioning: "off",
    start: 1,
    more: 1,
    often: { ...QUIET, "more work": 0.3, "others write": 0, "a worker dies": 0, "a lock is lost": 0 },
  }),
  // Batches to and fro, within the second that dates have.
  () => ({
    ...ONE_WAY,
    keys: 1,
    batches: 1,
    ways: "crossing",
    age: 0,
    versioning: "off",
    start: 2,
    often: { ...QUIET, "others write": 0, "a worker dies": 0 },
  }),
  // Objects are written again with the same bytes while batches move them.
  (random) => ({
    ...ONE_WAY,
    batches: random.pick([0.5, 1]),
    sameBytes: 0.9,
    age: 3000,
    versioning: "off",
    often: { ...QUIET, "others write": 0.06 },
  }),
  // Ids come again, for the same object with other content.
  () => ({
    keys: 1,
    batches: 0,
    sameId: 0.8,
    sameObject: 0.9,
    weather: CALM,
    more: 5,
    often: { "others write": 0.03, "a worker dies": 0.003, "Redis goes back": 0 },
  }),
  // Null versions lie below, and the first objects of a round go meanwhile.
  (random) => ({
    ...ONE_WAY,
    keys: random.pick([2, 3]),
    batches: 1,
    versioning: "suspended",
    below: 0.8,
    often: { ...QUIET, "others delete": 0.06, "a worker dies": 0.003 },
  }),
  // Answers to deletes are lost when batches are cancelled.
  (random) => ({
    ...ONE_WAY,
    batches: 1,
    verbs: ["move", "delete"],
    weather: random.pick([CALM, { lost: 0.3, refused: 0.05, late: 0.02, arrives: 0.15 }]),
    often: { ...QUIET, "a worker dies": 0.03, "batches are cancelled": 0.04 },
  }),
  // Workers hear nothing of Redis while the store asks for time, and their batches are cancelled.
  () => ({
    ...ONE_WAY,
    keys: 1,
    batches: 1,
    verbs: ["move", "delete"],
    often: {
      ...QUIET,
      "a worker dies": 0,
      "batches are cancelled": 0,
      "a worker is cut off in a storm": 0.3,
      "a lock is lost": 0,
    },
  }),
];

/** Of what the history of a seed is: 0 of everything, else of the so manieth special kind. */
export const kindOf = (seed: number): number => drawKind(createRandom(seed));

const drawKind = (random: Random): number => (random.next() < 0.5 ? 0 : random.integer(1, SPECIAL.length));

export function drawProfile(random: Random): Profile {
  const special = SPECIAL[drawKind(random) - 1]?.(random);
  const { often = {}, ...given } = special ?? {};
  const dense = special === undefined ? random.pick([1, 1, 3]) : 1;
  const troubles = Object.fromEntries(
    Object.entries({ ...USUAL, ...often }).map(([what, chance]) => [what, chance * dense]),
  ) as Record<Trouble, number>; // the same names
  return {
    keys: random.pick([1, 2, 3]),
    versioning: random.pick<Versioning>(["off", "off", "on", "suspended"]),
    enforced: random.pick(ENFORCED),
    weather: random.pick([CALM, MIXED, ROUGH]),
    ways: random.next() < 0.4 ? "crossing" : "any",
    batches: 0.3,
    verbs: ["move", "move", "move", "copy", "delete"],
    onlyMoves: false,
    conflicts: ["overwrite", "overwrite", "fail", "skip", "skip-identical"],
    sameId: 0.25,
    sameObject: 0.3,
    sameBytes: 0.4,
    age: random.pick([0, 500, 3000, 200_000]),
    below: 0.4,
    start: random.integer(1, 3),
    more: random.integer(0, 3),
    ...given,
    troubles,
  };
}

/** Which trouble comes now, if any. */
export function drawTrouble(random: Random, troubles: Profile["troubles"]): Trouble | undefined {
  let dice = random.next();
  for (const [what, chance] of Object.entries(troubles)) {
    dice -= chance;
    if (dice < 0) return what as Trouble; // the table's own names
  }
  return undefined;
}
