import type { Bucket } from "../../storage/bucket.ts";
import { header, type Call } from "../../http/call.ts";
import { xmlReply, type Reply } from "../../http/reply.ts";
import { S3Error } from "../../http/s3-error.ts";
import type { StoredObject } from "../../storage/stored-object.ts";
import { objectAcl, openBucket } from "../../auth/access.ts";
import type { World } from "../../storage/world.ts";
import { element, escapeXml, xmlDocument } from "../../http/xml.ts";
import { isArchived } from "../objects/source.ts";
import { accountElements } from "../permissions/acl.ts";
import { listPage } from "./page.ts";
import { readToken, writeToken } from "./token.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html: at most 1,000 keys a page */
const MAX_KEYS = 1000;

/** What all listings of keys share: encoding, limits, prefix and delimiter. */
export function listSettings(call: Call, world: World, limit = "max-keys") {
  const { query } = call;
  const encoding = query.get("encoding-type");
  if (encoding !== undefined && encoding !== "url") {
    throw new S3Error("InvalidArgument", "Invalid Encoding Method specified in Request", {
      elements: { ArgumentName: "encoding-type", ArgumentValue: encoding },
    });
  }
  const url = encoding === "url" && world.quirks.noUrlEncoding !== true;
  const given = query.get(limit);
  const max = given === undefined || given === "" ? MAX_KEYS : Number(given);
  if (!Number.isInteger(max) || max < 0 || max > 2_147_483_647) {
    throw new S3Error("InvalidArgument", `Provided ${limit} not an integer or within integer range`, {
      elements: { ArgumentName: limit, ArgumentValue: given ?? "" },
    });
  }
  return {
    name: (text: string) => (url ? encodeName(text) : text),
    encodingType: element("EncodingType", url ? "url" : undefined),
    max: Math.min(max, MAX_KEYS),
    prefix: query.get("prefix") ?? "",
    delimiter: query.get("delimiter") ?? "",
  };
}

const PLAIN_NAME = /^[A-Za-z0-9._*/-]*$/;

/** `encoding-type=url` as S3 does it: like a form (a space is `+`), except that `/` stays. */
export function encodeName(text: string): string {
  if (PLAIN_NAME.test(text)) return text;
  return encodeURIComponent(text)
    .replace(/[!'()~]/g, (found) => `%${found.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%2F", "/")
    .replaceAll("%20", "+");
}

export function listObjectsV2(call: Call, world: World): Reply {
  const bucket = openBucket(world, call);
  const { query } = call;
  const { name, encodingType, max, prefix, delimiter } = listSettings(call, world);
  const token = query.get("continuation-token");
  if (token === "") throw new S3Error("InvalidArgument", "The continuation token provided is incorrect");
  const startAfter = query.get("start-after");
  const after = token !== undefined ? readToken(token) : startAfter ? { key: startAfter } : undefined;
  const page = listPage(bucket, { prefix, delimiter, after, max });
  const owner = query.get("fetch-owner") === "true" ? ownerElement(bucket, world) : undefined;
  const content =
    element("Name", bucket.name) +
    element("Prefix", name(prefix)) +
    element("StartAfter", startAfter === undefined ? undefined : name(startAfter)) +
    element("ContinuationToken", token) +
    element("NextContinuationToken", page.next && writeToken(page.next)) +
    element("KeyCount", page.objects.length + page.prefixes.length) +
    element("MaxKeys", max) +
    element("Delimiter", delimiter === "" ? undefined : name(delimiter)) +
    encodingType +
    element("IsTruncated", page.next !== undefined) +
    contents(page.objects, { name, owner, restores: asksRestores(call) }) +
    commonPrefixes(page.prefixes, name);
  return xmlReply(xmlDocument("ListBucketResult", content), regionHeader(bucket));
}

export function listObjects(call: Call, world: World): Reply {
  const bucket = openBucket(world, call);
  const { name, encodingType, max, prefix, delimiter } = listSettings(call, world);
  const marker = call.query.get("marker") ?? "";
  const after = marker === "" ? undefined : { key: marker };
  const page = listPage(bucket, { prefix, delimiter, after, max, skipPrefixesUpTo: marker });
  const content =
    element("Name", bucket.name) +
    element("Prefix", name(prefix)) +
    element("Marker", name(marker)) +
    // Without a delimiter S3 leaves NextMarker out: the last key is the marker.
    element("NextMarker", page.next === undefined || delimiter === "" ? undefined : name(page.next.key)) +
    element("MaxKeys", max) +
    element("Delimiter", delimiter === "" ? undefined : name(delimiter)) +
    encodingType +
    element("IsTruncated", page.next !== undefined) +
    contents(page.objects, { name, owner: ownerElement(bucket, world), restores: asksRestores(call) }) +
    commonPrefixes(page.prefixes, name);
  return xmlReply(xmlDocument("ListBucketResult", content), regionHeader(bucket));
}

export function commonPrefixes(prefixes: readonly string[], name: (text: string) => string): string {
  return prefixes.map((prefix) => `<CommonPrefixes>${element("Prefix", name(prefix))}</CommonPrefixes>`).join("");
}

/** The owner of an object, as an element. */
export function ownerElement(bucket: Bucket, world: World): (object: StoredObject) => string {
  const usual = `<Owner>${accountElements(bucket.account, world)}</Owner>`;
  if (!bucket.hasForeignObjects) return () => usual;
  return (object) => `<Owner>${accountElements(objectAcl(bucket, object).owner, world)}</Owner>`;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html (x-amz-optional-object-attributes) */
export function asksRestores(call: Call): boolean {
  const asked = header(call, "x-amz-optional-object-attributes");
  if (asked === undefined) return false;
  if (asked.trim() !== "RestoreStatus") {
    throw new S3Error("InvalidArgument", "Invalid attribute name specified", {
      elements: { ArgumentName: "x-amz-optional-object-attributes", ArgumentValue: asked },
    });
  }
  return true;
}

type Shown = {
  name: (text: string) => string;
  owner: ((object: StoredObject) => string) | undefined;
  restores: boolean;
};

function contents(objects: readonly StoredObject[], { name, owner, restores }: Shown): string {
  let xml = "";
  for (const object of objects) {
    xml += `<Contents><Key>${escapeXml(name(object.key))}</Key><LastModified>${isoTime(object.lastModified)}</LastModified><ETag>&quot;${object.etag}&quot;</ETag>`;
    if (object.checksum !== undefined) {
      xml += `<ChecksumAlgorithm>${object.checksum.algorithm}</ChecksumAlgorithm><ChecksumType>${object.checksum.type}</ChecksumType>`;
    }
    xml += `<Size>${object.body.size}</Size>`;
    if (owner !== undefined) xml += owner(object);
    if (restores) xml += restoreElement(object);
    xml += `<StorageClass>${object.facts.storageClass}</StorageClass></Contents>`;
  }
  return xml;
}

/** Archived objects say how far their restore is. */
export function restoreElement(object: StoredObject): string {
  if (!isArchived(object)) return "";
  const until = object.restored && new Date(object.restored.until).toISOString();
  return `<RestoreStatus>${element("IsRestoreInProgress", false)}${element("RestoreExpiryDate", until)}</RestoreStatus>`;
}

let lastTime = Number.NaN;
let lastIso = "";

/** Pages are full of equal times. */
function isoTime(time: number): string {
  if (time !== lastTime) {
    lastTime = time;
    lastIso = new Date(time).toISOString();
  }
  return lastIso;
}

function regionHeader(bucket: Bucket): string[] {
  return ["x-amz-bucket-region", bucket.region];
}
