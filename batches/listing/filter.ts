import { setImmediate } from "node:timers/promises";
import { createGlob, type Glob } from "../../model/glob/create.ts";
import type { S3Object } from "../../model/entities.ts";
import { ActivityError } from "../../model/activity-error.ts";
import { BatchFilter } from "../spec/fields.ts";

export type ObjectFilter = {
  /** The key after the source's prefix. */
  matchesKey(key: string): boolean;
  /** `key` is that of `matchesKey`. */
  matches(object: S3Object, key: string): boolean;
};

/** For how long a filter may keep a worker from everything else, health checks among it. */
const TURN_MS = 10;

/**
 * Makes a batch's filter ready; `undefined` where every object is meant. It comes from Redis, and its limits are what keeps it from holding up
 * every worker: so they are asked for here too.
 *
 * @throws ActivityError `InvalidInput` where it is none
 */
export function createFilter(given: BatchFilter | undefined): ObjectFilter | undefined {
  if (given === undefined) return undefined;
  const filter = parsed(given);
  const included = filter.include && anyOf(filter.include);
  const excluded = filter.exclude && anyOf(filter.exclude);
  const { minSize = 0, maxSize = Infinity } = filter;
  const before = filter.modifiedBefore === undefined ? Infinity : Date.parse(filter.modifiedBefore);
  const after = filter.modifiedAfter === undefined ? -Infinity : Date.parse(filter.modifiedAfter);
  const classes = filter.storageClasses && new Set(filter.storageClasses);
  const dated = before !== Infinity || after !== -Infinity;
  const matchesKey = (key: string): boolean => (included?.(key) ?? true) && !(excluded?.(key) ?? false);
  return {
    matchesKey,
    matches({ size, lastModified, storageClass }, key) {
      if (size < minSize || size > maxSize || classes?.has(storageClass) === false) return false;
      if (dated) {
        const modified = Date.parse(lastModified);
        // What has no date that can be read is not known to be meant.
        if (!(modified < before && modified > after)) return false;
      }
      return matchesKey(key);
    },
  };
}

/** Those that a filter takes, in their order. Lets others have their turn where the globs are long and so are the keys. */
export async function keepMatching<Item>(items: readonly Item[], isMeant: (item: Item) => boolean): Promise<Item[]> {
  const kept: Item[] = [];
  let turn = performance.now();
  for (const item of items) {
    if (isMeant(item)) kept.push(item);
    if (performance.now() - turn < TURN_MS) continue;
    await setImmediate();
    turn = performance.now();
  }
  return kept;
}

const known = new WeakMap<object, BatchFilter>();

/** Each is looked at once, however often it is made ready. */
function parsed(given: BatchFilter): BatchFilter {
  const filter = known.get(given) ?? BatchFilter.safeParse(given).data;
  if (filter === undefined)
    throw new ActivityError("InvalidInput", "filter: expected one as a request for a batch may have it", {
      field: "filter",
    });
  known.set(given, filter);
  return filter;
}

function anyOf(patterns: readonly string[]): Glob {
  const globs = patterns.map(createGlob);
  return (key) => globs.some((matches) => matches(key));
}
