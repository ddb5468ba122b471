import type { Bucket, KeyRun } from "../../storage/bucket.ts";
import { compareKeys, firstIndex } from "../../storage/key-order.ts";
import type { StoredObject } from "../../storage/stored-object.ts";
import type { ListingPosition } from "./token.ts";

export type ListPage = {
  objects: StoredObject[];
  prefixes: string[];
  /** Set when there is more. */
  next?: ListingPosition;
};

export type ListRequest = {
  prefix: string;
  delimiter: string;
  after: ListingPosition | undefined;
  max: number;
  /** Version 1's marker also skips a common prefix that is not past it. */
  skipPrefixesUpTo?: string;
  /** Also keys whose newest version is a delete marker. */
  deleteMarkers?: boolean;
};

/** One page of a bucket in S3's order, with keys rolled up at the delimiter. Cost: the page, whatever the bucket's size. */
export function listPage(bucket: Bucket, request: ListRequest): ListPage {
  const { prefix, delimiter, max } = request;
  const page: ListPage = { objects: [], prefixes: [] };
  if (max === 0) return page;
  const walk = new KeyWalk(bucket.runs());
  walk.seek((key) => compareKeys(key, prefix) >= 0 && isPast(key, request.after));
  let last: ListingPosition | undefined;
  for (let object = walk.next(); object !== undefined; object = walk.next()) {
    if (!object.key.startsWith(prefix)) break;
    if (object.deleteMarker && !request.deleteMarkers) continue;
    const end = delimiter === "" ? -1 : object.key.indexOf(delimiter, prefix.length);
    const common = end < 0 ? undefined : object.key.slice(0, end + delimiter.length);
    if (
      common !== undefined &&
      request.skipPrefixesUpTo !== undefined &&
      compareKeys(common, request.skipPrefixesUpTo) <= 0
    ) {
      walk.seek((key) => isPast(key, { key: common, wholePrefix: true }));
      continue;
    }
    if (page.objects.length + page.prefixes.length === max) return { ...page, next: last! };
    if (common === undefined) {
      page.objects.push(object);
      last = { key: object.key };
    } else {
      page.prefixes.push(common);
      last = { key: common, wholePrefix: true };
      walk.seek((key) => isPast(key, last));
    }
  }
  return page;
}

function isPast(key: string, after: ListingPosition | undefined): boolean {
  if (after === undefined) return true;
  return compareKeys(key, after.key) > 0 && !(after.wholePrefix && key.startsWith(after.key));
}

/** Walks several sorted runs as one. */
class KeyWalk {
  readonly #runs: KeyRun[];
  readonly #at: number[];

  constructor(runs: KeyRun[]) {
    this.#runs = runs;
    this.#at = runs.map(() => 0);
  }

  /** Goes on to the first key for which `reached` holds; it must be false, then true, along the order. */
  seek(reached: (key: string) => boolean): void {
    for (const [i, run] of this.#runs.entries()) {
      const from = this.#at[i]!;
      this.#at[i] = from + firstIndex(run.length - from, (index) => reached(run.keyAt(from + index)));
    }
  }

  next(): StoredObject | undefined {
    for (;;) {
      const run = this.#nextRun();
      if (run === undefined) return undefined;
      const object = this.#runs[run]!.headAt(this.#at[run]!++);
      if (object !== undefined) return object;
    }
  }

  #nextRun(): number | undefined {
    let best: number | undefined;
    let bestKey = "";
    for (const [i, run] of this.#runs.entries()) {
      if (this.#at[i]! >= run.length) continue;
      if (this.#runs.length === 1) return i;
      const key = run.keyAt(this.#at[i]!);
      if (best === undefined || compareKeys(key, bestKey) < 0) {
        best = i;
        bestKey = key;
      }
    }
    return best;
  }
}
