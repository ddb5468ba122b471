import type { S3Object } from "../../model/entities.ts";
import type { S3 } from "../../s3/interface.ts";
import { MAX_CHAINS } from "../state/keys.ts";
import type { ListingCursor } from "./pages.ts";
import { compareKeys } from "./key-order.ts";

/** Pages of sub-prefixes that are looked at, over all levels. */
const MAX_PAGES = 4;
/** A chain is worth its two more requests from so many objects on. */
const OBJECTS_PER_CHAIN = 4000;

type Source = {
  readonly bucket: string;
  readonly prefix: string;
  /** The first page of the listing, which has more. */
  readonly first: readonly S3Object[];
};

/**
 * Shares a prefix out over chains: ranges of keys that meet at sub-prefixes, so that every key is in exactly one, also those beside the
 * sub-prefixes and those that appear later. How many is estimated from how far the first page reaches.
 */
export async function splitPrefix(s3: S3, source: Source, signal: AbortSignal): Promise<ListingCursor[]> {
  const prefixes = await subPrefixes(s3, source, signal);
  const reached = source.first.at(-1)?.key ?? "";
  const passed = prefixes.filter((prefix) => compareKeys(prefix, reached) < 0).length;
  const estimate = (source.first.length * prefixes.length) / Math.max(1, passed);
  // A first page that does not get through the first sub-prefix says that all are large.
  const worthwhile = passed <= 1 ? prefixes.length : Math.ceil(estimate / OBJECTS_PER_CHAIN);
  const chains = Math.min(MAX_CHAINS, prefixes.length, Math.max(1, worthwhile));
  const bounds = Array.from(
    { length: chains - 1 },
    (_, i) => prefixes[Math.floor(((i + 1) * prefixes.length) / chains)] ?? "",
  );
  const [bound] = bounds;
  if (bound === undefined || !(await startsAfter(s3, source, { bound, signal }))) return [{}];
  return [undefined, ...bounds].map((after, chain): ListingCursor => {
    const upTo = bounds[chain];
    return { ...(after !== undefined && { after }), ...(upTo !== undefined && { upTo }) };
  });
}

/** The sub-prefixes of the first level that has several, in order, as far as a few pages tell. */
async function subPrefixes(s3: S3, { bucket, prefix }: Source, signal: AbortSignal): Promise<string[]> {
  let at = prefix;
  let found: string[] = [];
  let token: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const listed = await s3.listPage(
      { bucket, prefix: at, delimiter: "/", ...(token !== undefined && { continuationToken: token }) },
      { signal },
    );
    found.push(...listed.prefixes);
    token = listed.next;
    const [only] = found;
    if (token === undefined && found.length === 1 && only !== undefined) {
      at = only;
      found = [];
    } else if (token === undefined) break;
  }
  return found.toSorted(compareKeys);
}

/** Some stores ignore `startAfter`; there every chain would list everything. */
async function startsAfter(
  s3: S3,
  { bucket, prefix }: Source,
  { bound, signal }: { bound: string; signal: AbortSignal },
): Promise<boolean> {
  const { objects } = await s3.listPage({ bucket, prefix, startAfter: bound, maxKeys: 1 }, { signal });
  return objects.every(({ key }) => compareKeys(key, bound) > 0);
}
