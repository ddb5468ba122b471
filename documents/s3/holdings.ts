import type { OwnBucket } from "../../s3/own/bucket.ts";
import {
  type ContentKind,
  contentPrefix,
  parseContentKey,
  parseRecordKey,
  recordsPrefix,
  type StoredRecord,
} from "./layout.ts";

/** A record, with when the store got it (milliseconds since 1970). */
export type HeldRecord = StoredRecord & { readonly lastModified: number };

export type HeldContent = {
  readonly id: string;
  readonly kind: ContentKind;
  readonly nonce: string;
  readonly key: string;
  readonly size: number;
  readonly lastModified: number;
};

/** All that the bucket has under one id; records oldest first. */
export type Holding = {
  readonly id: string;
  readonly records: readonly HeldRecord[];
  readonly contents: readonly HeldContent[];
};

/**
 * Everything in the store, id by id, from two listings side by side: both are in the order of the ids. Where a store lists in another order
 * (directory buckets), an id may come in pieces, so a missing piece proves nothing by itself.
 */
export async function* holdings(
  bucket: OwnBucket,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Holding> {
  const records = groups(heldRecords(bucket, prefix, signal));
  const contents = groups(heldContents(bucket, prefix, signal));
  let left = await next(records);
  let right = await next(contents);
  while (left !== undefined || right !== undefined) {
    const id = smaller(left?.id, right?.id);
    const ours = left?.id === id ? left.items : [];
    const theirs = right?.id === id ? right.items : [];
    yield { id, records: ours, contents: theirs };
    if (left?.id === id) left = await next(records);
    if (right?.id === id) right = await next(contents);
  }
}

async function* heldRecords(
  bucket: OwnBucket,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<HeldRecord> {
  for await (const { key, lastModified } of bucket.list(recordsPrefix(prefix), { signal })) {
    const record = parseRecordKey(prefix, key);
    if (record !== undefined) yield { ...record, lastModified };
  }
}

async function* heldContents(
  bucket: OwnBucket,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<HeldContent> {
  for await (const { key, size, lastModified } of bucket.list(contentPrefix(prefix), { signal })) {
    const content = parseContentKey(prefix, key);
    if (content !== undefined) yield { ...content, key, size, lastModified };
  }
}

type Group<T> = { readonly id: string; readonly items: readonly T[] };

async function* groups<T extends { readonly id: string }>(items: AsyncIterable<T>): AsyncGenerator<Group<T>> {
  let group: { id: string; items: T[] } | undefined;
  for await (const item of items) {
    if (group?.id === item.id) group.items.push(item);
    else {
      if (group !== undefined) yield group;
      group = { id: item.id, items: [item] };
    }
  }
  if (group !== undefined) yield group;
}

async function next<T>(generator: AsyncGenerator<T>): Promise<T | undefined> {
  const { done, value } = await generator.next();
  return done === true ? undefined : value;
}

/** Ids are ASCII, so that strings compare as S3 orders keys. */
function smaller(left: string | undefined, right: string | undefined): string {
  if (left === undefined || (right !== undefined && right < left)) return right ?? "";
  return left;
}
