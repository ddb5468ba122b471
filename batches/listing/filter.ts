import picomatch from "picomatch";
import type { S3Object } from "../../model/entities.ts";
import type { BatchFilter } from "../spec/request.ts";

export type ObjectFilter = {
  /** The key after the source's prefix. */
  matchesKey(key: string): boolean;
  /** `key` is that of `matchesKey`. */
  matches(object: S3Object, key: string): boolean;
};

/** Keys are no paths: a name may begin with a dot or an exclamation mark, and hold a newline. */
const GLOB = { dot: true, nonegate: true, flags: "s" } as const;

/** Makes a batch's filter ready; `undefined` where every object is meant. */
export function createFilter(filter: BatchFilter | undefined): ObjectFilter | undefined {
  if (filter === undefined) return undefined;
  const included = filter.include && picomatch([...filter.include], GLOB);
  const excluded = filter.exclude && picomatch([...filter.exclude], GLOB);
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
        if (modified >= before || modified <= after) return false;
      }
      return matchesKey(key);
    },
  };
}
