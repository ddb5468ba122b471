import type { Bucket } from "../../storage/bucket.ts";
import type { Call } from "../../http/call.ts";
import { compareKeys } from "../../storage/key-order.ts";
import { xmlReply, type Reply } from "../../http/reply.ts";
import { S3Error } from "../../http/s3-error.ts";
import { versionName, type StoredObject } from "../../storage/stored-object.ts";
import { openBucket } from "../../auth/access.ts";
import type { World } from "../../storage/world.ts";
import { element, xmlDocument } from "../../http/xml.ts";
import { asksRestores, commonPrefixes, listSettings, ownerElement, restoreElement } from "./objects.ts";
import { listPage, type ListPage } from "./page.ts";

type Version = { object: StoredObject; isLatest: boolean };

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html */
export function listObjectVersions(call: Call, world: World): Reply {
  const bucket = openBucket(world, call);
  const { name, encodingType, max, prefix, delimiter } = listSettings(call, world);
  const keyMarker = call.query.get("key-marker") ?? "";
  const versionMarker = call.query.get("version-id-marker") ?? "";
  if (versionMarker !== "" && keyMarker === "") {
    throw new S3Error("InvalidArgument", "A version-id marker cannot be specified without a key marker.", {
      elements: { ArgumentName: "version-id-marker" },
    });
  }
  const after = keyMarker === "" ? undefined : { key: keyMarker };
  const page = listPage(bucket, { prefix, delimiter, max, after, skipPrefixesUpTo: keyMarker, deleteMarkers: true });
  const found = [
    ...(versionMarker === "" ? [] : restOfKey(bucket, keyMarker, versionMarker)),
    ...inOrder(bucket, page),
  ];
  const shown = found.slice(0, max);
  const owner = ownerElement(bucket, world);
  const restores = asksRestores(call);
  const last = max > 0 && (found.length > max || page.next !== undefined) ? shown.at(-1) : undefined;
  const content =
    element("Name", bucket.name) +
    element("Prefix", name(prefix)) +
    element("KeyMarker", name(keyMarker)) +
    element("VersionIdMarker", versionMarker) +
    element("NextKeyMarker", last && name("prefix" in last ? last.prefix : last.object.key)) +
    element("NextVersionIdMarker", last && "object" in last ? versionName(last.object) : undefined) +
    element("MaxKeys", max) +
    element("Delimiter", delimiter === "" ? undefined : name(delimiter)) +
    encodingType +
    element("IsTruncated", last !== undefined) +
    shown.map((one) => ("object" in one ? versionElement(one, { name, owner, restores }) : "")).join("") +
    commonPrefixes(
      shown.flatMap((one) => ("prefix" in one ? [one.prefix] : [])),
      name,
    );
  return xmlReply(xmlDocument("ListVersionsResult", content));
}

/** Versions and common prefixes share one order and one limit. */
function inOrder(bucket: Bucket, page: ListPage): (Version | { prefix: string })[] {
  const names = [...page.prefixes.map((prefix) => ({ key: prefix, prefix })), ...page.objects];
  return names
    .toSorted((a, b) => compareKeys(a.key, b.key))
    .flatMap<Version | { prefix: string }>((one) =>
      "prefix" in one ? [one] : bucket.versions(one.key).map((object, index) => ({ object, isLatest: index === 0 })),
    );
}

function restOfKey(bucket: Bucket, key: string, versionId: string): Version[] {
  const chain = bucket.versions(key);
  const at = chain.findIndex((object) => versionName(object) === versionId);
  return chain.slice(at + 1).map((object, index) => ({ object, isLatest: at + 1 + index === 0 }));
}

type Shown = { name: (text: string) => string; owner: (object: StoredObject) => string; restores: boolean };

function versionElement({ object, isLatest }: Version, { name, owner, restores }: Shown): string {
  const common =
    element("Key", name(object.key)) +
    element("VersionId", versionName(object)) +
    element("IsLatest", isLatest) +
    element("LastModified", new Date(object.lastModified).toISOString());
  if (object.deleteMarker) return `<DeleteMarker>${common}${owner(object)}</DeleteMarker>`;
  const content =
    element("ETag", `"${object.etag}"`) +
    element("Size", object.body.size) +
    owner(object) +
    (restores ? restoreElement(object) : "") +
    element("StorageClass", object.facts.storageClass);
  return `<Version>${common}${content}</Version>`;
}
