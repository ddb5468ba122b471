import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import type { S3Object } from "../../../model/entities.ts";
import { type About, unproven } from "../../error-mapping.ts";
import { unquoteEtag } from "../../../model/etag.ts";
import { type Listing, type ListingEntry, parseListing } from "./parse.ts";
import type { Call, ListPage, ListRequest } from "../../interface.ts";
import { send } from "../../transport/send.ts";
import { ownedBy, type Store } from "../../store.ts";

/**
 * One page of a listing. Asked for URL-encoded, because XML cannot carry every key: `x\r\ny` would list as another one.
 * An answer counts only as a listing of this bucket and prefix; an empty or foreign 200 would read as "no objects".
 * Directory buckets list in no order, so `startAfter` does not resume there.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 */
export async function listPage(store: Store, request: ListRequest, call: Call): Promise<ListPage> {
  const about: About = { operation: "ListObjectsV2", bucket: request.bucket };
  const fast = await fastPage(store, request, about, call);
  return fast ?? provenPage(await sdkPage(store, request, about, call), request, about);
}

/** `undefined` where it takes the SDK to tell what is wrong. */
async function fastPage(store: Store, request: ListRequest, about: About, call: Call): Promise<ListPage | undefined> {
  const { bucket, prefix, delimiter, startAfter, continuationToken, maxKeys } = request;
  const query = {
    "list-type": "2",
    "encoding-type": "url",
    prefix,
    delimiter,
    "start-after": startAfter,
    "continuation-token": continuationToken,
    "max-keys": maxKeys?.toString(),
  };
  const answer = await store.fast?.send({ operation: "ListObjectsV2", bucket, query, headers: {}, about }, call);
  const listing = answer?.outcome === "done" ? parseListing(answer.body) : undefined;
  return listing === undefined ? undefined : provenPage(listing, request, about);
}

async function sdkPage(store: Store, request: ListRequest, about: About, call: Call): Promise<Listing> {
  const { bucket, prefix, delimiter, startAfter, continuationToken, maxKeys } = request;
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
  return await send(store, make, about, call);
}

function provenPage(answer: Listing, request: ListRequest, about: About): ListPage {
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

function listed(entry: ListingEntry, bucket: string, decode: (text: string) => string, about: About): S3Object {
  const { Key, Size, ETag, LastModified, StorageClass } = entry;
  if (Key === undefined || Size === undefined || LastModified === undefined)
    throw unproven(about, "a key, size and date for every object", 200);
  return {
    bucket,
    key: decode(Key),
    size: Size,
    etag: unquoteEtag(ETag ?? ""),
    lastModified: typeof LastModified === "string" ? LastModified : LastModified.toISOString(),
    storageClass: StorageClass ?? "STANDARD",
  };
}

/** S3 encodes like a form: a space is `+`, a plus is `%2B`. */
function decodeKey(text: string, about: About): string {
  if (!/[%+]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch (cause) {
    throw unproven(about, `URL-encoded keys (${cause instanceof Error ? cause.message : "malformed"})`, 200);
  }
}
