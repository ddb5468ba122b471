import { ListObjectsV2Command, type ListObjectsV2Output } from "@aws-sdk/client-s3";
import type { S3Object } from "../../jobs/entities.ts";
import { type About, unproven } from "./error-mapping.ts";
import { unquoteEtag } from "./etag.ts";
import type { Call, ListPage, ListRequest } from "./s3.ts";
import { send } from "./send.ts";
import { ownedBy, type Store } from "./store.ts";

/**
 * One page of a listing. Asked for URL-encoded, because XML cannot carry every key: `x\r\ny` would list as another one.
 * An answer counts only as a listing of this bucket and prefix; an empty or foreign 200 would read as "no objects".
 * Directory buckets list in no order, so `startAfter` does not resume there.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 */
export async function listPage(store: Store, request: ListRequest, call: Call): Promise<ListPage> {
  const { bucket, prefix, delimiter, startAfter, continuationToken, maxKeys } = request;
  const about: About = { operation: "ListObjectsV2", bucket };
  const make = (): ListObjectsV2Command =>
    new ListObjectsV2Command({
      Bucket: bucket,
      EncodingType: "url",
      Prefix: prefix,
      Delimiter: delimiter,
      StartAfter: startAfter,
      ContinuationToken: continuationToken,
      MaxKeys: maxKeys,
      ...ownedBy(store),
    });
  return provenPage(await send(store, make, about, call), request, about);
}

function provenPage(answer: ListObjectsV2Output, request: ListRequest, about: About): ListPage {
  const { bucket, prefix = "", continuationToken } = request;
  if (answer.Name !== bucket) throw unproven(about, `a listing of ${bucket}`, 200);
  if (typeof answer.IsTruncated !== "boolean") throw unproven(about, "a listing that says whether there is more", 200);
  const decode = answer.EncodingType === "url" ? (text: string) => decodeKey(text, about) : (text: string) => text;
  const prefixes = (answer.CommonPrefixes ?? []).map((common) => decode(common.Prefix ?? ""));
  const objects = (answer.Contents ?? []).map((entry) => listed(entry, bucket, decode, about));
  if (
    prefixes.some((found) => found === "" || !found.startsWith(prefix)) ||
    objects.some(({ key }) => !key.startsWith(prefix))
  )
    throw unproven(about, `only keys that start with ${JSON.stringify(prefix)}`, 200);
  if (!answer.IsTruncated) return { objects, prefixes };
  const next = answer.NextContinuationToken;
  if (next === undefined || next === "") throw unproven(about, "a continuation token, as there is more", 200);
  if (next === continuationToken) throw unproven(about, "a new continuation token, not the one that was sent", 200);
  return { objects, prefixes, next };
}

type Entry = NonNullable<ListObjectsV2Output["Contents"]>[number];

function listed(entry: Entry, bucket: string, decode: (text: string) => string, about: About): S3Object {
  const { Key, Size, ETag, LastModified, StorageClass } = entry;
  if (Key === undefined || Size === undefined || LastModified === undefined)
    throw unproven(about, "a key, size and date for every object", 200);
  return {
    bucket,
    key: decode(Key),
    size: Size,
    etag: unquoteEtag(ETag ?? ""),
    lastModified: LastModified.toISOString(),
    storageClass: StorageClass ?? "STANDARD",
  };
}

/** S3 encodes like a form: a space is `+`, a plus is `%2B`. */
function decodeKey(text: string, about: About): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch (cause) {
    throw unproven(about, `URL-encoded keys (${cause instanceof Error ? cause.message : "malformed"})`, 200);
  }
}
