import crypto, { randomBytes } from "node:crypto";
import { header, type Call } from "../../http/call.ts";
import { checksumHeader } from "../../storage/checksum.ts";
import { checkWrite } from "../../storage/conditions.ts";
import { encryptionHeaders } from "../../http/encryption.ts";
import { factsFromHeaders, tagsFromHeader } from "../../http/object-facts.ts";
import { receiveBody, type ReceiveOptions } from "../../http/receive-body.ts";
import { demandDigest, requestedProtection } from "../lock/protection.ts";
import { newObjectAcl } from "../permissions/acl-headers.ts";
import { emptyReply, type Reply } from "../../http/reply.ts";
import { nowInSeconds, type Encryption, type StoredObject } from "../../storage/stored-object.ts";
import type { Bucket } from "../../storage/bucket.ts";
import { openBucket } from "../../auth/access.ts";
import type { World } from "../../storage/world.ts";
import { checkKey } from "./source.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html */
export async function putObject(call: Call, world: World): Promise<Reply> {
  const bucket = openBucket(world, call);
  checkKey(call.key);
  const facts = factsFromHeaders(call, bucket.settings.encryption);
  const tags = tagsFromHeader(call);
  const acl = newObjectAcl(call, world, bucket);
  const protection = requestedProtection(call, bucket);
  demandDigest(call, bucket, protection);
  const { body, md5, checksum } = await receiveBody(call, uploadOptions(bucket, world));
  // Checked when the body is there: a writer that came in between wins, as on S3.
  checkWriteConditions(call, world, bucket.current(call.key));
  const object: StoredObject = {
    key: call.key,
    body,
    etag: etagFor(md5, facts.encryption),
    lastModified: nowInSeconds(),
    facts,
    ...protection,
  };
  if (acl !== undefined) object.acl = acl;
  if (tags !== undefined) object.tags = tags;
  if (checksum !== undefined) object.checksum = checksum;
  const stored = bucket.put(object);
  const headers = ["ETag", `"${stored.etag}"`, ...encryptionHeaders(facts.encryption)];
  if (checksum !== undefined)
    headers.push(checksumHeader(checksum.algorithm), checksum.value, "x-amz-checksum-type", checksum.type);
  if (stored.versionId !== undefined) headers.push("x-amz-version-id", stored.versionId);
  return emptyReply(200, headers);
}

/** How the content of an object or a part is received. */
export function uploadOptions(bucket: Bucket, { limits, quirks }: World): ReceiveOptions {
  return { sink: bucket.sink, maxSize: limits.maxCopySize, contentMd5Required: quirks.contentMd5Required };
}

export function checkWriteConditions(call: Call, world: World, current: StoredObject | undefined): void {
  if (!world.enforce.write) return;
  checkWrite(call.key, current, { ifMatch: header(call, "if-match"), ifNoneMatch: header(call, "if-none-match") });
}

/** Under SSE-KMS and SSE-C an ETag is no MD5: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html */
export function etagFor(md5: string, encryption: Encryption): string {
  const isMd5 = encryption.algorithm === "AES256" && encryption.customerKeyMd5 === undefined;
  return isMd5 ? md5 : crypto.hash("md5", Buffer.concat([Buffer.from(md5, "hex"), randomBytes(16)]));
}
