import type { Call } from "../../http/call.ts";
import { compareKeys } from "../../storage/key-order.ts";
import type { MultipartUpload } from "../../storage/multipart-upload.ts";
import { xmlReply, type Reply } from "../../http/reply.ts";
import { openBucket } from "../../auth/access.ts";
import type { World } from "../../storage/world.ts";
import { element, xmlDocument } from "../../http/xml.ts";
import { commonPrefixes, listSettings } from "./objects.ts";
import { accountElements } from "../permissions/acl.ts";
import { findUpload } from "../uploads/parts.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html */
export function listMultipartUploads(call: Call, world: World): Reply {
  const bucket = openBucket(world, call);
  const { name, encodingType, max, prefix, delimiter } = listSettings(call, world, "max-uploads");
  const keyMarker = call.query.get("key-marker") ?? "";
  const idMarker = call.query.get("upload-id-marker") ?? "";
  const open = [...world.uploads.values()]
    .filter((upload) => upload.bucket === bucket.name && upload.key.startsWith(prefix))
    .filter((upload) => isAfter(upload, keyMarker, idMarker))
    .toSorted((a, b) => compareKeys(a.key, b.key) || compareKeys(a.uploadId, b.uploadId));
  const prefixes = new Set<string>();
  const shown: MultipartUpload[] = [];
  let last: MultipartUpload | undefined;
  let truncated = false;
  for (const upload of open) {
    const end = delimiter === "" ? -1 : upload.key.indexOf(delimiter, prefix.length);
    const common = end < 0 ? undefined : upload.key.slice(0, end + delimiter.length);
    const isNew = common === undefined || !prefixes.has(common);
    if (isNew && shown.length + prefixes.size === max) {
      truncated = true;
      break;
    }
    if (common === undefined) shown.push(upload);
    else prefixes.add(common);
    last = upload;
  }
  const content =
    element("Bucket", bucket.name) +
    element("KeyMarker", name(keyMarker)) +
    element("UploadIdMarker", idMarker) +
    element("NextKeyMarker", truncated && last ? name(last.key) : undefined) +
    element("NextUploadIdMarker", truncated ? last?.uploadId : undefined) +
    element("Prefix", name(prefix)) +
    element("Delimiter", delimiter === "" ? undefined : name(delimiter)) +
    encodingType +
    element("MaxUploads", max) +
    element("IsTruncated", truncated) +
    shown
      .map((upload) => uploadElement(upload, name, accountElements(upload.acl?.owner ?? bucket.account, world)))
      .join("") +
    commonPrefixes([...prefixes], name);
  return xmlReply(xmlDocument("ListMultipartUploadsResult", content));
}

// Uploads of one key are listed by their ids, so an id is a place to go on from.
function isAfter(upload: MultipartUpload, keyMarker: string, idMarker: string): boolean {
  if (keyMarker === "") return true;
  const order = compareKeys(upload.key, keyMarker);
  return order > 0 || (order === 0 && idMarker !== "" && compareKeys(upload.uploadId, idMarker) > 0);
}

function uploadElement(upload: MultipartUpload, name: (text: string) => string, owner: string): string {
  const content =
    element("Key", name(upload.key)) +
    element("UploadId", upload.uploadId) +
    `<Initiator>${owner}</Initiator><Owner>${owner}</Owner>` +
    element("StorageClass", upload.facts.storageClass) +
    element("Initiated", new Date(upload.initiated).toISOString()) +
    element("ChecksumAlgorithm", upload.checksum?.algorithm) +
    element("ChecksumType", upload.checksum?.type);
  return `<Upload>${content}</Upload>`;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html */
export function listParts(call: Call, world: World): Reply {
  const bucket = openBucket(world, call);
  const upload = findUpload(call, world);
  const owner = accountElements(upload.acl?.owner ?? bucket.account, world);
  const { max } = listSettings(call, world, "max-parts");
  const marker = Number(call.query.get("part-number-marker") ?? 0);
  const rest = [...upload.parts.values()]
    .filter((part) => part.number > marker)
    .toSorted((a, b) => a.number - b.number);
  const page = rest.slice(0, max);
  const parts = page.map((part) => {
    const content =
      element("PartNumber", part.number) +
      element("LastModified", new Date(part.lastModified).toISOString()) +
      element("ETag", `"${part.etag}"`) +
      element("Size", part.body.size) +
      (part.checksum === undefined ? "" : element(`Checksum${part.checksum.algorithm}`, part.checksum.value));
    return `<Part>${content}</Part>`;
  });
  const content =
    element("Bucket", upload.bucket) +
    element("Key", upload.key) +
    element("UploadId", upload.uploadId) +
    `<Initiator>${owner}</Initiator><Owner>${owner}</Owner>` +
    element("StorageClass", upload.facts.storageClass) +
    element("PartNumberMarker", marker) +
    element("NextPartNumberMarker", page.at(-1)?.number ?? 0) +
    element("MaxParts", max) +
    element("IsTruncated", rest.length > page.length) +
    element("ChecksumAlgorithm", upload.checksum?.algorithm) +
    element("ChecksumType", upload.checksum?.type) +
    parts.join("");
  return xmlReply(xmlDocument("ListPartsResult", content));
}
