import type { DocumentPointer } from "../../model/entities.ts";
import { type ContentFacts, type ContentTally, tallyContent } from "../content-tally.ts";
import { type DocumentDraft, draftDocument } from "../draft.ts";
import { documentIncomplete } from "../errors.ts";
import type { DocumentSource, WriteOptions } from "../interface.ts";
import { newNonce, nextGeneration } from "../generation.ts";
import { type ContentKind, contentKey, recordKey } from "./layout.ts";
import { recordsOf, removeRecord } from "./records.ts";
import type { S3Room } from "./room.ts";
import { cleanupSignal, type PartsUpload, partSizeFor, partsOf, startPartsUpload } from "./upload.ts";
import { checkSource, releaseSource, sourceBytes } from "../source-bytes.ts";

/** A write ends a day before the sweeper would take its content, uploaded in parts and still without a record, for an orphan. */
const MAX_WRITE_MS = 6 * 24 * 3600_000;

/** One write, and the keys that it may have left objects under. */
type Work = { readonly draft: DocumentDraft; readonly nonce: string; readonly keys: string[] };
type Written = ContentFacts & { readonly kind: ContentKind };

/** Content first, checked in the bucket; then the record, from which on the document is there; then what it replaced goes. */
export async function writeDocument(
  room: S3Room,
  source: DocumentSource,
  options: WriteOptions,
): Promise<DocumentPointer> {
  const keys: string[] = [];
  try {
    checkSource(source);
    const work: Work = { draft: draftDocument(options), nonce: newNonce(), keys };
    options.signal?.throwIfAborted();
    const written = await writeContent(room, work, source, options);
    return await publish(room, work, written, options.signal);
  } catch (error) {
    releaseSource(source);
    await cleanUp(room, keys);
    throw error;
  }
}

async function writeContent(
  { bucket, prefix }: S3Room,
  { draft, nonce, keys }: Work,
  source: DocumentSource,
  { size: expected, signal: caller }: WriteOptions,
): Promise<Written> {
  const failure = new AbortController();
  const limits = [failure.signal, AbortSignal.timeout(MAX_WRITE_MS)];
  const signal = AbortSignal.any(caller === undefined ? limits : [...limits, caller]);
  const partSize = partSizeFor(expected ?? (source instanceof Uint8Array ? source.length : undefined));
  const tally = tallyContent(draft.name, expected);
  const { contentType } = draft;
  const keyOf = (kind: ContentKind) => contentKey(prefix, draft.id, kind, nonce);
  keys.push(keyOf("s"), keyOf("m"));

  let upload: PartsUpload | undefined;
  try {
    const chunks = tallied(sourceBytes(source, { name: draft.name, signal }), tally);
    for await (const { bytes, last } of partsOf(chunks, partSize)) {
      if (upload === undefined && last) {
        await bucket.put(keyOf("s"), bytes, contentType, { signal });
        continue;
      }
      const fail = (error: unknown) => failure.abort(error);
      upload ??= await startPartsUpload(bucket, { key: keyOf("m"), contentType, partSize, signal, fail });
      await upload.send(bytes);
    }
    const kind = upload === undefined ? "s" : "m";
    const facts = tally.finish();
    await upload?.complete(facts.size);
    const stored = await bucket.size(keyOf(kind), { signal });
    if (stored !== facts.size)
      throw documentIncomplete(
        draft.name,
        `was sent with ${facts.size} bytes, of which the bucket has ${stored ?? "none"}`,
      );
    return { kind, ...facts };
  } catch (error) {
    failure.abort(error);
    // The first error is the one to tell; what cannot be aborted now is the sweeper's.
    await upload?.abort().catch(() => undefined);
    throw error;
  }
}

/** Fails before the last part goes out where less came than was promised. */
async function* tallied(chunks: AsyncIterable<Uint8Array>, tally: ContentTally): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    tally.add(chunk);
    yield chunk;
  }
  tally.finish();
}

async function publish(
  room: S3Room,
  { draft, nonce, keys }: Work,
  { kind, ...facts }: Written,
  signal: AbortSignal | undefined,
): Promise<DocumentPointer> {
  const { bucket, prefix, log, now } = room;
  const pointer = draft.pointer(facts, now());
  const older = draft.replaces ? await recordsOf(room, draft.id, signal) : [];
  const generation = nextGeneration(older.at(-1)?.generation, nonce);
  const key = recordKey(prefix, draft.id, { generation, expiresAt: Date.parse(pointer.expiresAt), kind });
  // First among what is cleaned up: a record must never outlive its content.
  keys.unshift(key);
  await bucket.put(key, Buffer.from(JSON.stringify(pointer)), "application/json", { signal });
  try {
    for (const record of older) await removeRecord(bucket, record, undefined);
  } catch (error) {
    log.warn({ err: error, document: draft.id }, "a replaced document could not be removed; the sweeper will try");
  }
  return pointer;
}

async function cleanUp({ bucket, log }: S3Room, keys: readonly string[]): Promise<void> {
  const signal = cleanupSignal();
  try {
    for (const key of keys) await bucket.delete(key, { signal });
  } catch (error) {
    log.warn({ err: error, keys }, "an unfinished document could not be removed; the sweeper will try");
  }
}
