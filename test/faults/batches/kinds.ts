import { createRandom } from "../random.ts";
import type { BatchRun, Moment, TroubleName } from "./run.ts";

export type { BatchRun } from "./run.ts";

type Kind = Partial<Omit<BatchRun, "seed" | "objects">> & {
  readonly kind: string;
  readonly troubles: readonly TroubleName[];
  /** Of the campaign's objects. Streaming costs many requests for each. */
  readonly share?: number;
};

const EVERY_MOMENT: readonly Moment[] = [
  "any time",
  "before the copy",
  "after the copy",
  "before the delete",
  "after the delete",
];
/**
 * A store that ignores conditions deletes whatever is there when the request arrives: nobody can close the window between our look
 * and its delete, so nothing is overwritten in it.
 */
const SAFE_MOMENTS: readonly Moment[] = ["before the copy", "after the copy", "after the delete"];

const KINDS: readonly Kind[] = [
  { kind: "kills", troubles: ["kills"], workers: 3 },
  { kind: "Redis restarts", troubles: ["redis"] },
  { kind: "SlowDown storms", troubles: ["storms"] },
  { kind: "resets, errors, stalls", troubles: ["resets", "errors", "stalls"] },
  { kind: "overwrites", troubles: ["overwrites"], moments: EVERY_MOMENT },
  { kind: "double deliveries", troubles: ["duplicates", "overwrites"], moments: EVERY_MOMENT },
  { kind: "pauses, a worker more", troubles: ["pauses", "late worker"], workers: 1 },
  { kind: "every worker dead", troubles: ["all dead"] },
  {
    kind: "ignoring conditions",
    troubles: ["overwrites", "resets", "errors"],
    moments: SAFE_MOMENTS,
    enforcing: false,
  },
  { kind: "ignoring conditions, kills", troubles: ["kills"], workers: 3, enforcing: false },
  { kind: "streamed, kills", troubles: ["kills", "errors"], workers: 3, route: "stream", share: 0.1 },
  { kind: "cancelled", troubles: ["kills", "cancel"], workers: 3 },
  { kind: "conflicts", troubles: ["resets", "kills"], workers: 3, onConflict: "skip" },
  {
    kind: "everything",
    troubles: ["kills", "redis", "storms", "resets", "errors", "stalls", "overwrites", "duplicates", "pauses"],
    workers: 3,
    moments: EVERY_MOMENT,
  },
  {
    kind: "everything, versioned",
    troubles: ["kills", "redis", "resets", "errors", "overwrites", "duplicates"],
    workers: 3,
    moments: EVERY_MOMENT,
    versioned: true,
  },
];

/** Seed `n` is always the same run: kinds take turns, and the seed draws the rest. */
export function batchRun(seed: number, objects: number): BatchRun {
  const kind = KINDS[seed % KINDS.length];
  if (kind === undefined) throw new RangeError(`expected a seed of 0 or more, got ${seed}`);
  const random = createRandom(seed).fork("run");
  const { share = 1, ...rest } = kind;
  return {
    seed,
    objects: Math.max(1, Math.round(objects * share)),
    large: 6,
    workers: 2,
    latencyMs: random.integer(60, 120),
    versioned: random.next() < 0.25,
    enforcing: true,
    route: "copy",
    onConflict: "overwrite",
    moments: [],
    ...rest,
  };
}
