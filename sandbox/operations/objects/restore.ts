import type { Call } from "../../http/call.ts";
import { receiveDocument } from "../../http/receive-body.ts";
import { emptyReply, type Reply } from "../../http/reply.ts";
import { S3Error } from "../../http/s3-error.ts";
import { childText, malformed, parseXml } from "../../http/xml.ts";
import type { World } from "../../storage/world.ts";
import { isArchived, openObject } from "./source.ts";

const DAY = 24 * 60 * 60 * 1000;

/**
 * Restores at once what takes hours on AWS: the object can be read when this has answered.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html
 */
export async function restoreObject(call: Call, world: World): Promise<Reply> {
  openObject(call, world);
  const body = await receiveDocument(call);
  const request = parseXml(body, "RestoreRequest");
  if (request.children.has("SelectParameters") || request.children.has("OutputLocation"))
    throw new S3Error("NotImplemented", "The sandbox restores whole objects only");
  const days = Number(childText(request, "Days"));
  if (!Number.isInteger(days) || days < 1) throw malformed();
  const { bucket, object } = openObject(call, world);
  if (!isArchived(object)) {
    throw new S3Error("InvalidObjectState", "Restore is not allowed for the object's current storage class", {
      elements: { StorageClass: object.facts.storageClass },
    });
  }
  const again = object.restored !== undefined && object.restored.until > Date.now();
  bucket.update(object, { restored: { until: Math.ceil((Date.now() + days * DAY) / DAY) * DAY } });
  // 202 starts a restore, 200 prolongs one.
  return emptyReply(again ? 200 : 202);
}

/** The x-amz-restore header. */
export function restoreHeader({ until }: { until: number }): string {
  return `ongoing-request="false", expiry-date="${new Date(until).toUTCString()}"`;
}
