import { accessDenied, openBucket } from "../../auth/access.ts";
import type { Call } from "../../http/call.ts";
import { receiveDocument } from "../../http/receive-body.ts";
import { emptyReply, xmlReply, type Reply } from "../../http/reply.ts";
import { S3Error } from "../../http/s3-error.ts";
import { childText, element, malformed, parseXml, xmlDocument } from "../../http/xml.ts";
import type { Bucket } from "../../storage/bucket.ts";
import type { Retention, StoredObject } from "../../storage/stored-object.ts";
import type { World } from "../../storage/world.ts";
import { checkKey, findObject, requestedVersion } from "../objects/source.ts";
import { bypassesGovernance, futureDate } from "./protection.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectRetention.html */
export function getObjectRetention(call: Call, world: World): Reply {
  const { object } = open(call, world);
  if (object.retention === undefined) throw noConfiguration();
  const { mode, until } = object.retention;
  return xmlReply(
    xmlDocument("Retention", element("Mode", mode) + element("RetainUntilDate", new Date(until).toISOString())),
  );
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectRetention.html */
export async function putObjectRetention(call: Call, world: World): Promise<Reply> {
  open(call, world);
  const document = parseXml(await receiveDocument(call), "Retention");
  const { bucket, object } = open(call, world);
  const [mode, date] = [childText(document, "Mode"), childText(document, "RetainUntilDate")];
  if (mode === undefined && date === undefined) {
    checkChange(call, bucket, object, undefined);
    bucket.update(object, {}, ["retention"]);
    return emptyReply(200);
  }
  if ((mode !== "GOVERNANCE" && mode !== "COMPLIANCE") || date === undefined) throw malformed();
  const retention = { mode, until: futureDate(date, "RetainUntilDate") } as const;
  checkChange(call, bucket, object, retention);
  bucket.update(object, { retention });
  return emptyReply(200);
}

/** A retention may be made longer; less needs the right to bypass governance, and compliance nobody may weaken. */
function checkChange(call: Call, bucket: Bucket, { retention: old }: StoredObject, next: Retention | undefined): void {
  if (old === undefined || old.until <= Date.now()) return;
  const weaker =
    next === undefined || next.until < old.until || (old.mode === "COMPLIANCE" && next.mode !== "COMPLIANCE");
  const changes = weaker || next.mode !== old.mode;
  if (!changes || (old.mode === "GOVERNANCE" && bypassesGovernance(call, bucket))) return;
  throw accessDenied();
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLegalHold.html */
export function getObjectLegalHold(call: Call, world: World): Reply {
  const { object } = open(call, world);
  if (object.legalHold === undefined) throw noConfiguration();
  return xmlReply(xmlDocument("LegalHold", element("Status", object.legalHold ? "ON" : "OFF")));
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLegalHold.html */
export async function putObjectLegalHold(call: Call, world: World): Promise<Reply> {
  open(call, world);
  const status = childText(parseXml(await receiveDocument(call), "LegalHold"), "Status");
  if (status !== "ON" && status !== "OFF") throw malformed();
  const { bucket, object } = open(call, world);
  bucket.update(object, { legalHold: status === "ON" });
  return emptyReply(200);
}

function open(call: Call, world: World) {
  const bucket = openBucket(world, call);
  checkKey(call.key);
  if (bucket.settings.lock === undefined)
    throw new S3Error("InvalidRequest", "Bucket is missing Object Lock Configuration");
  return { bucket, object: findObject(bucket, call.key, requestedVersion(call, world)) };
}

function noConfiguration(): S3Error {
  return new S3Error("NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration", {
    status: 404,
  });
}
