import { createHash, type Hash } from "node:crypto";
import type { Readable } from "node:stream";
import { ActivityError } from "../../model/activity-error.ts";
import type { ObjectDetails, ObjectRef, Verified } from "../../model/entities.ts";
import {
  type AttributeInput,
  carriedHeaders,
  carriedStorageClass,
  encryptionInput,
  storageInput,
  taggingInput,
} from "../requests/attributes/input.ts";
import { isPinned, sourceChanged } from "../proof/unchanged.ts";
import { nameOf } from "../error-mapping.ts";
import { get } from "../requests/get.ts";
import { putVerified } from "../requests/put.ts";
import type { PutResult, SourceParts } from "../proof/put.ts";
import type { Call, CopyProof, CopyRequest, Download, S3 } from "../interface.ts";
import type { Store } from "../store.ts";
import { pulledStream } from "./download/pulled-stream.ts";
import { leaveUnreadTags, tagsIfReadable } from "../requests/tags.ts";
import { pinnedRef } from "../proof/verify.ts";

const MIB = 1024 * 1024;
/** S3's least part, and what many parts at once may be large without filling the memory. */
const LEAST_PART = 5 * MIB;
const MOST_PART = 16 * MIB;

/**
 * Copies out of another store: what is read under the pin is what is written, in parallel parts where it is large. The bytes are proven by what
 * both stores say of them, and where one of them says nothing, by reading there again: never by their number alone.
 */
export async function copyFrom(store: Store, from: S3, request: CopyRequest, call: Call): Promise<CopyProof> {
  const { source, bucket, key, overrides = {}, ifMatch, ifNoneMatch, onBytes, upload } = request;
  const carried = overrides.tags ?? (await tagsIfReadable(() => from.tags(pinnedRef(source), call)));
  const tags = carried ?? {};
  const { download, parts } = await openSource(from, request, call);
  const { object } = download;
  let attributes: AttributeInput;
  try {
    if (carried === undefined) leaveUnreadTags(source, download.facts.tagCount, request.unreadTags);
    attributes = {
      ...carriedHeaders(download.facts, overrides),
      ...taggingInput(tags),
      ...storageInput(
        sameKind(store, from) ? carriedStorageClass(object.storageClass, overrides) : overrides.storageClass,
      ),
      // The other account's keys are not ours to use.
      ...encryptionInput(overrides.encryption),
    };
  } catch (error) {
    download.body.destroy();
    throw error;
  }
  const sha256 = createHash("sha256");
  const sent = await putVerified(
    store,
    {
      bucket,
      key,
      body: hashed(download.body, sha256),
      size: source.size,
      tags,
      content: source.etag,
      source: parts,
      attributes,
      ifMatch,
      ifNoneMatch,
      onBytes,
      upload,
    },
    call,
  );
  const { etag, versionId, size } = sent.object;
  const verified = await prove(store, from, { request, download, sent, sha256: () => sha256.digest("hex") }, call);
  return {
    bucket,
    key,
    etag,
    size,
    verified,
    ...(versionId !== undefined && { versionId }),
    ...(carried === undefined && { notCarried: ["tags"] as const }),
  };
}

type Opened = { readonly download: Download; readonly parts: SourceParts | undefined };

/** Opens the source; cut as it was uploaded where its ETag then follows from the parts that are sent. */
async function openSource(from: S3, request: CopyRequest, call: Call): Promise<Opened> {
  const download = await open(from, request, call);
  const { parts } = download;
  if (parts === undefined || parts.size < LEAST_PART || parts.size > MOST_PART) return { download, parts: undefined };
  const { etag } = request.source;
  const object = pinnedRef(request.source);
  const reopen = async (start: number, signal: AbortSignal): Promise<Readable> =>
    (await from.get({ object, ifMatch: etag, range: { start } }, { signal })).body;
  return { download, parts: { etag, partSize: parts.size, areAlike: parts.areAlike, reopen } };
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

/** The body, hashed on its way. */
function hashed(body: Readable, hash: Hash): Readable {
  async function* chunks(): AsyncGenerator<Buffer> {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      hash.update(chunk);
      yield chunk;
    }
  }
  return pulledStream(chunks(), () => body.destroy());
}

type Sent = {
  readonly request: CopyRequest;
  readonly download: Download;
  readonly sent: PutResult;
  /** Hex, of what went through. */
  readonly sha256: () => string;
};

/** Proves both ends; throws `VerificationFailed`. */
async function prove(
  store: Store,
  from: S3,
  { request, download, sent, sha256 }: Sent,
  call: Call,
): Promise<Exclude<Verified, "size">> {
  const { source } = request;
  const read = sent.sourceProven === true ? "etag" : download.compared();
  if (sent.exact && read === "etag") return "etag";
  if (shareChecksum(download.object, sent.object)) return "checksum";
  const passed = sha256();
  if (read === undefined) {
    const again = await from.get({ object: pinnedRef(source), ifMatch: source.etag }, call);
    await requireSame(again, passed, pinnedRef(source));
  }
  if (!sent.exact) {
    const { bucket, key, versionId, etag } = sent.object;
    const object = { bucket, key, ...(versionId !== undefined && { versionId }) };
    await requireSame(await get(store, { object, ifMatch: etag }, call), passed, object);
  }
  return "checksum";
}

async function requireSame({ body }: Download, expected: string, object: ObjectRef): Promise<void> {
  const hash = createHash("sha256");
  for await (const chunk of body as AsyncIterable<Buffer>) hash.update(chunk);
  if (hash.digest("hex") === expected) return;
  throw new ActivityError(
    "VerificationFailed",
    `${nameOf(object)} is not what was copied: reading it again gave other bytes than went through`,
    { retryable: true },
  );
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
