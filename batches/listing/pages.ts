import { ActivityError } from "../../model/activity-error.ts";
import type { S3Object } from "../../model/entities.ts";
import type { ListPage, S3 } from "../../s3/interface.ts";
import type { PrefixSource } from "../spec/fields.ts";
import { keepMatching, type ObjectFilter } from "./filter.ts";
import { CHUNK_SIZE } from "../state/chunk-manifest.ts";
import { compareKeys } from "./key-order.ts";

/**
 * Where a chain stands in a listing. A chain lists the keys after one and up to another, so chains share out a prefix with every key in
 * exactly one of them, whatever appears meanwhile. The last key goes on for ever, while continuation tokens may expire.
 */
export type ListingCursor = {
  /** Keys after this one. */
  readonly after?: string;
  /** Up to this one, included. */
  readonly upTo?: string;
  /** Of the page before; used where `after` cannot be. */
  readonly token?: string;
  /** The store lists in no order, or has no `startAfter`: go on by the token. */
  readonly byToken?: boolean;
};

export type Listed = {
  readonly objects: readonly S3Object[];
  readonly filtered: number;
  readonly cursor: ListingCursor;
  readonly last: boolean;
};

/** Directory buckets list in no order. https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-differences.html */
export function isDirectoryBucket(bucket: string): boolean {
  return bucket.endsWith("--x-s3");
}

/**
 * One page of a chain.
 *
 * @throws ActivityError `ListingUnordered` where several chains share a prefix that turns out to be listed in no order
 */
export async function listChunk(
  s3: S3,
  { bucket, prefix }: PrefixSource,
  {
    cursor,
    filter,
    signal,
  }: { readonly cursor: ListingCursor; readonly filter: ObjectFilter | undefined; readonly signal: AbortSignal },
): Promise<Listed> {
  const list = (place: { startAfter?: string; continuationToken?: string }): Promise<ListPage> =>
    s3.listPage({ bucket, prefix, maxKeys: CHUNK_SIZE, ...place }, { signal });
  const { after, upTo, token } = cursor;
  let byToken = cursor.byToken ?? isDirectoryBucket(bucket);
  let page = await list(
    byToken && token !== undefined ? { continuationToken: token } : after !== undefined ? { startAfter: after } : {},
  );
  if (!byToken && !goesOn(page.objects, after)) {
    if (upTo !== undefined || (after !== undefined && token === undefined)) throw unordered(bucket, prefix);
    byToken = true;
    if (token !== undefined) {
      page = await list({ continuationToken: token });
    }
  }
  const inRange = upTo === undefined ? page.objects : page.objects.filter(({ key }) => compareKeys(key, upTo) <= 0);
  const objects =
    filter === undefined
      ? inRange
      : await keepMatching(inRange, (object) => filter.matches(object, object.key.slice(prefix.length)));
  const lastKey = page.objects.at(-1)?.key ?? after;
  return {
    objects,
    filtered: inRange.length - objects.length,
    last: page.next === undefined || inRange.length < page.objects.length,
    cursor: {
      ...(lastKey !== undefined && { after: lastKey }),
      ...(upTo !== undefined && { upTo }),
      ...(page.next !== undefined && { token: page.next }),
      // A page without keys that says there is more moves on by its token only.
      ...((byToken || page.objects.length === 0) && { byToken: true }),
    },
  };
}

/** True where a page is in order and starts after the key it should. */
function goesOn(objects: readonly S3Object[], after: string | undefined): boolean {
  let previous = after;
  for (const { key } of objects) {
    if (previous !== undefined && compareKeys(key, previous) <= 0) return false;
    previous = key;
  }
  return true;
}

function unordered(bucket: string, prefix: string): ActivityError {
  return new ActivityError(
    "ListingUnordered",
    `expected s3://${bucket}/${prefix} to be listed in the order of its keys, after a given one`,
  );
}
