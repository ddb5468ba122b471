import { ActivityError } from "../../model/activity-error.ts";
import type { ObjectDetails, Verified } from "../../model/entities.ts";
import { attributeInput, carriedStorageClass } from "../requests/attributes.ts";
import { isPinned, sourceChanged } from "../proof/unchanged.ts";
import { isSinglePartEtag, unquoteEtag } from "../etag.ts";
import { putVerified } from "../requests/put.ts";
import type { Call, CopyProof, CopyRequest, Download, S3 } from "../s3.ts";
import type { Store } from "../store.ts";
import { removeEarlierUpload } from "./stream-upload.ts";
import { tagsIfAny } from "../requests/tags.ts";
import { pinnedRef } from "../proof/verify.ts";

/** Copies out of another store: what is read under the pin is what is written, counted and hashed on its way. */
export async function copyFrom(store: Store, from: S3, request: CopyRequest, call: Call): Promise<CopyProof> {
  const { source, bucket, key, overrides = {}, ifMatch, ifNoneMatch, onBytes, upload } = request;
  await removeEarlierUpload(store, request);
  const tags = overrides.tags ?? (await tagsIfAny(() => from.tags(pinnedRef(source), call)));
  const { body, object } = await open(from, request, call);
  const md5 = plainMd5(object);
  const sent = await putVerified(
    store,
    {
      bucket,
      key,
      body,
      size: source.size,
      tags,
      ...(md5 !== undefined && { md5 }),
      attributes: attributeInput({
        ...object,
        contentType: overrides.contentType ?? object.contentType,
        metadata: overrides.metadata ?? object.metadata,
        tags: Object.keys(tags).length === 0 ? undefined : tags,
        storageClass: sameKind(store, from)
          ? carriedStorageClass(object.storageClass, overrides)
          : overrides.storageClass,
        // The other account's keys are not ours to use.
        encryption: overrides.encryption,
      }),
      ifMatch,
      ifNoneMatch,
      onBytes,
      upload,
    },
    call,
  );
  const { etag, versionId, size } = sent.object;
  const verified: Verified =
    sent.exact && md5 !== undefined ? "etag" : shareChecksum(object, sent.object) ? "checksum" : "size";
  return { bucket, key, etag, size, verified, ...(versionId !== undefined && { versionId }) };
}

async function open(from: S3, { source }: CopyRequest, call: Call): Promise<Download> {
  let download: Download;
  try {
    download = await from.get({ object: pinnedRef(source), ifMatch: source.etag }, call);
  } catch (error) {
    if (error instanceof ActivityError && error.code === "PreconditionFailed")
      throw sourceChanged(source, "it is another now", error);
    throw error;
  }
  if (isPinned(download.object, source) && download.size === source.size) return download;
  download.body.destroy();
  throw sourceChanged(source, `found ${download.object.etag} with ${download.size} bytes`);
}

/** The source's MD5, where its ETag is one: then the last byte is not sent before the whole content was seen to match. */
function plainMd5({ etag, encryption }: ObjectDetails): string | undefined {
  const plain = encryption === undefined || encryption === "AES256";
  return plain && isSinglePartEtag(etag) ? unquoteEtag(etag) : undefined;
}

/** Storage classes are each vendor's own. */
function sameKind(store: Store, from: S3): boolean {
  return store.connection.endpoint === from.connection.endpoint;
}

/** A composite checksum ends in its number of parts, and depends on them. */
function shareChecksum(one: ObjectDetails, other: ObjectDetails): boolean {
  return Object.entries(one.checksums ?? {}).some(
    ([algorithm, value]) => !value.includes("-") && other.checksums?.[algorithm] === value,
  );
}
