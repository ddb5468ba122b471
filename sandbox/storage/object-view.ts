import { bodyBytes, bodyMd5, bytesBody } from "./body.ts";
import { headerText, keptHeader, mapHeaders } from "../http/header-text.ts";
import type { Bucket } from "./bucket.ts";
import { compareKeys } from "./key-order.ts";
import type { MultipartUpload } from "./multipart-upload.ts";
import type { ObjectView, PutOptions, UploadView } from "../interface.ts";
import { nowInSeconds, PLAIN_FACTS, versionName, type StoredObject } from "./stored-object.ts";

export function newObject(key: string, content: string | Uint8Array, options: PutOptions): StoredObject {
  // A copy: the caller may go on using its array.
  const body = bytesBody(Buffer.from(content));
  const object: StoredObject = {
    key,
    body,
    etag: options.etag ?? bodyMd5(body),
    lastModified:
      options.lastModified === undefined ? nowInSeconds() : Math.floor(options.lastModified.getTime() / 1000) * 1000,
    facts: {
      headers: mapHeaders(
        { "content-type": options.contentType ?? "binary/octet-stream", ...options.headers },
        keptHeader,
      ),
      metadata: mapHeaders(options.metadata ?? {}, keptHeader),
      storageClass: options.storageClass ?? "STANDARD",
      encryption: options.encryption ?? PLAIN_FACTS.encryption,
    },
  };
  if (options.tags !== undefined)
    object.tags = Object.entries(options.tags).map(([name, value]) => ({ key: name, value }));
  if (options.checksum !== undefined) object.checksum = options.checksum;
  return object;
}

export function readBytes(object: StoredObject | undefined): Buffer | undefined {
  return object === undefined || object.deleteMarker ? undefined : bodyBytes(object.body);
}

export function viewObject(object: StoredObject): ObjectView {
  const { facts } = object;
  return {
    key: object.key,
    size: object.body.size,
    etag: object.etag,
    lastModified: new Date(object.lastModified),
    contentType: headerText(facts.headers["content-type"] ?? ""),
    headers: mapHeaders(facts.headers, headerText),
    metadata: mapHeaders(facts.metadata, headerText),
    tags: Object.fromEntries((object.tags ?? []).map((tag) => [tag.key, tag.value])),
    storageClass: facts.storageClass,
    encryption: { ...facts.encryption },
    versionId: object.versionId === undefined ? undefined : versionName(object),
    deleteMarker: object.deleteMarker ?? false,
    parts: object.parts?.length,
    checksum: object.checksum,
    retention: object.retention && { mode: object.retention.mode, until: new Date(object.retention.until) },
    legalHold: object.legalHold ?? false,
  };
}

export function liveKeys(bucket: Bucket): string[] {
  const keys: string[] = [];
  for (const run of bucket.runs()) {
    for (let i = 0; i < run.length; i++) {
      const object = run.headAt(i);
      if (object !== undefined && !object.deleteMarker) keys.push(object.key);
    }
  }
  return bucket.runs().length === 1 ? keys : keys.toSorted(compareKeys);
}

export function viewUpload({ uploadId, bucket, key, parts }: MultipartUpload): UploadView {
  const views = [...parts.values()].map((part) => ({ number: part.number, size: part.body.size, etag: part.etag }));
  return { uploadId, bucket, key, parts: views.toSorted((a, b) => a.number - b.number) };
}
