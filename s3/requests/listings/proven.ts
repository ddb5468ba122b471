import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { ActivityError } from "../../../model/activity-error.ts";
import type { S3Object } from "../../../model/entities.ts";
import { unquoteEtag } from "../../../model/etag.ts";
import { type About, unproven } from "../../error-mapping.ts";
import type { Call, ListPage, ListRequest } from "../../interface.ts";
import { ownedBy, type StoreBase } from "../../options.ts";
import { send } from "../../transport/send.ts";
import type { Listing, ListingEntry } from "./parse.ts";

/** One page through the SDK. */
export async function sdkPage(store: StoreBase, request: ListRequest, call: Call): Promise<ListPage> {
  const about: About = { operation: "ListObjectsV2", bucket: request.bucket };
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
  return provenPage(await send(store, make, about, call), request, about);
}

/** What a listing says, where it is one of the bucket and prefix that were asked for. */
export function provenPage(answer: Listing, request: ListRequest, about: About): ListPage {
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
    throw ignoredPrefix(bucket, prefix);
  if (!answer.IsTruncated) return { objects, prefixes };
  const next = answer.NextContinuationToken;
  if (next === undefined || next === "") throw unproven(about, "a continuation token, as there is more", 200);
  if (next === continuationToken) throw unproven(about, "a new continuation token, not the one that was sent", 200);
  return { objects, prefixes, next };
}

/** Not to be asked again: a store that lists other keys than were asked for does so each time. */
function ignoredPrefix(bucket: string, prefix: string): ActivityError {
  const sentence = `expected only keys of bucket ${bucket} that start with ${JSON.stringify(prefix)}, the store lists others`;
  return new ActivityError("PrefixIgnored", sentence, { httpStatus: 200 });
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
