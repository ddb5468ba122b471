import { header, type Call } from "../../http/call.ts";
import { defaultChecksum } from "../../storage/checksum.ts";
import { checkCustomerKey, readCustomerKey } from "../../http/encryption.ts";
import { xmlReply, type Reply } from "../../http/reply.ts";
import { S3Error } from "../../http/s3-error.ts";
import type { Checksum, StoredObject } from "../../storage/stored-object.ts";
import { openBucket } from "../../auth/access.ts";
import type { World } from "../../storage/world.ts";
import { element, xmlDocument } from "../../http/xml.ts";
import { checkKey, findObject, requestedVersion } from "./source.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html */
export function getObjectAttributes(call: Call, world: World): Reply {
  const bucket = openBucket(world, call);
  checkKey(call.key);
  const asked = new Set((header(call, "x-amz-object-attributes") ?? "").split(",").map((one) => one.trim()));
  const known = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"];
  if ([...asked].some((one) => !known.includes(one))) {
    throw new S3Error("InvalidArgument", "Invalid attribute name specified.", {
      elements: { ArgumentName: "x-amz-object-attributes", ArgumentValue: [...asked].join(",") },
    });
  }
  const object = findObject(bucket, call.key, requestedVersion(call, world));
  checkCustomerKey(object.facts.encryption, readCustomerKey(call, "x-amz-server-side-encryption-customer-"));
  const checksum = object.checksum ?? defaultChecksum(object.body);
  const content =
    // Without quotes here, unlike everywhere else.
    element("ETag", asked.has("ETag") ? object.etag : undefined) +
    (asked.has("Checksum") && checksum ? `<Checksum>${checksumElements(checksum, true)}</Checksum>` : "") +
    (asked.has("ObjectParts") && object.parts ? partsElement(call, object) : "") +
    element("StorageClass", asked.has("StorageClass") ? object.facts.storageClass : undefined) +
    element("ObjectSize", asked.has("ObjectSize") ? object.body.size : undefined);
  const headers = ["Last-Modified", new Date(object.lastModified).toUTCString()];
  if (object.versionId !== undefined) headers.push("x-amz-version-id", object.versionId);
  return xmlReply(xmlDocument("GetObjectAttributesResponse", content), headers);
}

function checksumElements(checksum: Checksum, withType: boolean): string {
  return (
    element(`Checksum${checksum.algorithm}`, checksum.value.replace(/-\d+$/, "")) +
    (withType ? element("ChecksumType", checksum.type) : "")
  );
}

/** S3 lists the parts themselves only for uploads with checksums. */
function partsElement(call: Call, { parts = [] }: StoredObject): string {
  const max = Math.min(Number(header(call, "x-amz-max-parts") ?? 1000), 1000);
  const marker = Number(header(call, "x-amz-part-number-marker") ?? 0);
  const rest = parts.filter((part) => part.number > marker);
  const page = rest.slice(0, max);
  const listed = page.filter((part) => part.checksum !== undefined);
  const elements = listed.map(
    (part) =>
      `<Part>${element("PartNumber", part.number)}${element("Size", part.size)}${part.checksum ? checksumElements(part.checksum, false) : ""}</Part>`,
  );
  const paging =
    element("PartNumberMarker", marker) +
    element("NextPartNumberMarker", page.at(-1)?.number ?? 0) +
    element("MaxParts", max) +
    element("IsTruncated", rest.length > page.length);
  return `<ObjectParts>${element("PartsCount", parts.length)}${paging}${elements.join("")}</ObjectParts>`;
}
