import type { Bucket } from "../../storage/bucket.ts";
import { header, type Call } from "../../http/call.ts";
import { ALGORITHMS, checksumHeader } from "../../storage/checksum.ts";
import { checkDelete, type DeleteConditions } from "../../storage/conditions.ts";
import { missingContentMd5, receiveDocument } from "../../http/receive-body.ts";
import { emptyReply, xmlReply, type Reply } from "../../http/reply.ts";
import { S3Error } from "../../http/s3-error.ts";
import { versionName } from "../../storage/stored-object.ts";
import { openBucket } from "../../auth/access.ts";
import type { World } from "../../storage/world.ts";
import { childText, element, malformed, parseXml, xmlDocument } from "../../http/xml.ts";
import { checkUnlocked } from "../lock/protection.ts";
import { checkKey, requestedVersion } from "./source.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html */
export function deleteObject(call: Call, world: World): Reply {
  const bucket = openBucket(world, call);
  checkKey(call.key);
  const conditions = {
    ...(world.enforce.delete && { etag: header(call, "if-match") }),
    ...(world.enforce.deleteDates && {
      lastModified: header(call, "x-amz-if-match-last-modified-time"),
      size: header(call, "x-amz-if-match-size"),
    }),
  };
  const outcome = remove(call, bucket, { key: call.key, versionId: requestedVersion(call, world), conditions });
  const headers: string[] = [];
  if (outcome.deleteMarker) headers.push("x-amz-delete-marker", "true");
  if (outcome.versionId !== undefined) headers.push("x-amz-version-id", outcome.versionId);
  return emptyReply(204, headers);
}

type Removed = { versionId?: string; deleteMarker: boolean; markerVersionId?: string };

function remove(call: Call, bucket: Bucket, { key, versionId, conditions }: DeleteEntry): Removed {
  // A condition looks at the current version only.
  checkDelete(key, bucket.head(key), conditions);
  if (versionId !== undefined) {
    if (bucket.settings.lock !== undefined) checkUnlocked(call, bucket, bucket.version(key, versionId));
    const removed = bucket.deleteVersion(key, versionId);
    return { versionId, deleteMarker: removed?.deleteMarker ?? false };
  }
  const marker = bucket.delete(key);
  return marker === undefined
    ? { deleteMarker: false }
    : { versionId: versionName(marker), deleteMarker: true, markerVersionId: versionName(marker) };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html */
export async function deleteObjects(call: Call, world: World): Promise<Reply> {
  const bucket = openBucket(world, call);
  refuseAsQuirk(call, world);
  const hasDigest =
    header(call, "content-md5") !== undefined ||
    header(call, "x-amz-trailer") !== undefined ||
    ALGORITHMS.some((algorithm) => header(call, checksumHeader(algorithm)) !== undefined);
  if (!hasDigest)
    throw new S3Error("InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
  const request = parseXml(await receiveDocument(call, world.quirks), "Delete");
  const objects = request.children.get("Object") ?? [];
  if (objects.length === 0 || objects.length > world.limits.maxDeleteKeys) throw malformed();
  const quiet = childText(request, "Quiet") === "true";
  const ignored = world.quirks.ignoredVersionIds;
  let content = "";
  for (const object of objects) {
    const key = childText(object, "Key");
    if (key === undefined || key === "") throw malformed();
    content += deleteOne(
      { call, bucket },
      {
        key,
        versionId: ignored ? undefined : childText(object, "VersionId"),
        conditions: {
          ...(world.enforce.multiDelete && { etag: childText(object, "ETag") }),
          ...(world.enforce.deleteDates && {
            lastModified: childText(object, "LastModifiedTime"),
            size: childText(object, "Size"),
          }),
        },
      },
      { quiet },
    );
  }
  return xmlReply(xmlDocument("DeleteResult", content));
}

/** How stores without DeleteObjects answer it. */
function refuseAsQuirk(call: Call, { quirks: { deleteObjects: quirk } }: World): void {
  if (quirk === undefined) return;
  if (quirk !== "MissingContentMD5") throw new S3Error(quirk, "DeleteObjects is not implemented by this store");
  if (header(call, "content-md5") === undefined) throw missingContentMd5();
}

type DeleteEntry = { key: string; versionId: string | undefined; conditions: DeleteConditions };

function deleteOne(
  { call, bucket }: { call: Call; bucket: Bucket },
  entry: DeleteEntry,
  { quiet }: { quiet: boolean },
): string {
  const { key, versionId } = entry;
  const name = element("Key", key) + element("VersionId", versionId);
  try {
    checkKey(key);
    const removed = remove(call, bucket, entry);
    if (quiet) return "";
    const marker = removed.deleteMarker
      ? element("DeleteMarker", true) + element("DeleteMarkerVersionId", removed.markerVersionId ?? removed.versionId)
      : "";
    return `<Deleted>${name}${marker}</Deleted>`;
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
    return `<Error>${name}${element("Code", error.code)}${element("Message", error.message)}</Error>`;
  }
}
