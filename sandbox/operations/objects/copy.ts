import { bodyMd5 } from "../../storage/body.ts";
import type { Bucket } from "../../storage/bucket.ts";
import { header, type Call } from "../../http/call.ts";
import { computeChecksum, parseAlgorithm } from "../../storage/checksum.ts";
import { checkWrite } from "../../storage/conditions.ts";
import { encryptionHeaders, readEncryption } from "../../http/encryption.ts";
import { readStorageClass, systemHeaders, tagsFromHeader, userMetadata } from "../../http/object-facts.ts";
import { checkNoBody } from "../../http/receive-body.ts";
import { xmlReply, type Reply } from "../../http/reply.ts";
import { S3Error } from "../../http/s3-error.ts";
import {
  nowInSeconds,
  PLAIN_FACTS,
  type Checksum,
  type Encryption,
  type ObjectFacts,
  type StoredObject,
  type Tag,
} from "../../storage/stored-object.ts";
import { openBucket } from "../../auth/access.ts";
import type { World } from "../../storage/world.ts";
import { element, xmlDocument } from "../../http/xml.ts";
import { checkKey, openCopySource, type CopySource } from "./source.ts";
import { requestedProtection } from "../lock/protection.ts";
import { newObjectAcl } from "../permissions/acl-headers.ts";
import { etagFor } from "./put.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
export function copyObject(call: Call, world: World): Reply {
  checkNoBody(call);
  const bucket = openBucket(world, call);
  checkKey(call.key);
  const source = openCopySource(call, world);
  if (source.object.body.size > world.limits.maxCopySize) {
    throw new S3Error(
      "InvalidRequest",
      `The specified copy source is larger than the maximum allowable size for a copy source: ${world.limits.maxCopySize}`,
    );
  }
  const directive = readDirective(call, "x-amz-metadata-directive");
  refuseSelfCopy(call, bucket, source, directive);
  if (world.enforce.copy) {
    checkWrite(call.key, bucket.current(call.key), {
      ifMatch: header(call, "if-match"),
      ifNoneMatch: header(call, "if-none-match"),
    });
  }
  const acl = newObjectAcl(call, world, bucket);
  const object = copiedObject(call, source.object, { directive, world, bucket });
  if (acl !== undefined) object.acl = acl;
  Object.assign(object, requestedProtection(call, bucket));
  const stored = bucket.put(object);
  return copyReply(stored, source.object, world);
}

function copiedObject(
  call: Call,
  source: StoredObject,
  { directive, world, bucket }: { directive: "COPY" | "REPLACE"; world: World; bucket: Bucket },
): StoredObject {
  const facts = copiedFacts(call, source, { directive, encryption: bucket.settings.encryption });
  const object: StoredObject = {
    key: call.key,
    body: source.body,
    etag: copiedEtag(source, facts),
    lastModified: nowInSeconds(),
    facts,
  };
  const dropsTags = world.quirks.tagsDroppedOnReplace && directive === "REPLACE";
  const tags = dropsTags ? undefined : copiedTags(call, source);
  if (tags !== undefined) object.tags = tags;
  const checksum = copiedChecksum(call, source);
  if (checksum !== undefined) object.checksum = checksum;
  return object;
}

/** The ETag of a copy is that of a single-part upload: a multipart ETag does not survive. */
function copiedEtag(source: StoredObject, facts: ObjectFacts): string {
  const plain = source.facts.encryption.algorithm === "AES256" && source.facts.encryption.customerKeyMd5 === undefined;
  const md5 = plain && !source.etag.includes("-") ? source.etag : bodyMd5(source.body);
  return etagFor(md5, facts.encryption);
}

// Storage class and encryption are not carried over by S3: what the request does not name becomes the default.
function copiedFacts(
  call: Call,
  source: StoredObject,
  { directive, encryption: usual }: { directive: "COPY" | "REPLACE"; encryption: Encryption | undefined },
): ObjectFacts {
  const storageClass = readStorageClass(call) ?? "STANDARD";
  const encryption = readEncryption(call) ?? usual ?? PLAIN_FACTS.encryption;
  const { facts } = source;
  if (directive === "REPLACE")
    return { headers: systemHeaders(call), metadata: userMetadata(call), storageClass, encryption };
  const redirect = header(call, "x-amz-website-redirect-location");
  const redirects = redirect !== undefined || REDIRECT in facts.headers;
  if (!redirects && facts.storageClass === storageClass && facts.encryption === encryption) return facts;
  return {
    headers: redirects ? withRedirect(facts.headers, redirect) : facts.headers,
    metadata: facts.metadata,
    storageClass,
    encryption,
  };
}

const REDIRECT = "x-amz-website-redirect-location";

/** The one header that a copy does not carry over. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html (x-amz-website-redirect-location) */
function withRedirect(headers: Record<string, string>, redirect: string | undefined): Record<string, string> {
  const changed = { ...headers };
  delete changed[REDIRECT];
  if (redirect !== undefined) changed[REDIRECT] = redirect;
  return changed;
}

function copiedTags(call: Call, source: StoredObject): readonly Tag[] | undefined {
  return readDirective(call, "x-amz-tagging-directive") === "REPLACE" ? tagsFromHeader(call) : source.tags;
}

function copiedChecksum(call: Call, source: StoredObject): Checksum | undefined {
  const asked = header(call, "x-amz-checksum-algorithm");
  if (asked !== undefined) return computeChecksum(source.body, parseAlgorithm(asked));
  const { checksum } = source;
  // A checksum of parts becomes one of the whole object.
  return checksum?.type === "COMPOSITE" ? computeChecksum(source.body, checksum.algorithm) : checksum;
}

function readDirective(call: Call, name: string): "COPY" | "REPLACE" {
  const directive = header(call, name) ?? "COPY";
  if (directive !== "COPY" && directive !== "REPLACE") {
    throw new S3Error(
      "InvalidArgument",
      `Unknown ${name === "x-amz-metadata-directive" ? "metadata" : "tagging"} directive.`,
      { elements: { ArgumentName: name, ArgumentValue: directive } },
    );
  }
  return directive;
}

const CHANGES = [
  "x-amz-storage-class",
  "x-amz-server-side-encryption",
  "x-amz-server-side-encryption-customer-algorithm",
  "x-amz-website-redirect-location",
  "x-amz-checksum-algorithm",
];

function refuseSelfCopy(call: Call, bucket: Bucket, source: CopySource, directive: "COPY" | "REPLACE"): void {
  if (source.bucket !== bucket || source.key !== call.key || directive === "REPLACE") return;
  const isCurrent = bucket.head(call.key)?.versionId === source.object.versionId;
  if (!isCurrent || CHANGES.some((name) => header(call, name) !== undefined)) return;
  throw new S3Error(
    "InvalidRequest",
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  );
}

function copyReply(stored: StoredObject, source: StoredObject, world: World): Reply {
  const headers = encryptionHeaders(stored.facts.encryption);
  if (source.versionId !== undefined) headers.push("x-amz-copy-source-version-id", source.versionId);
  if (stored.versionId !== undefined) headers.push("x-amz-version-id", stored.versionId);
  return xmlReply(xmlDocument("CopyObjectResult", copyResult(stored, world)), headers);
}

/** The inside of CopyObjectResult and CopyPartResult. */
export function copyResult(copy: { etag: string; lastModified: number; checksum?: Checksum }, world: World): string {
  const etag = world.quirks.unquotedCopyEtags ? copy.etag : `"${copy.etag}"`;
  const checksum =
    copy.checksum === undefined
      ? ""
      : element(`Checksum${copy.checksum.algorithm}`, copy.checksum.value) +
        element("ChecksumType", copy.checksum.type);
  return element("LastModified", new Date(copy.lastModified).toISOString()) + element("ETag", etag) + checksum;
}
