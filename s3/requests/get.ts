import type { Readable } from "node:stream";
import { ActivityError } from "../../model/activity-error.ts";
import { pulledStream } from "../parts/download/pulled-stream.ts";
import { rangedBody, type Span } from "../parts/download/ranged-body.ts";
import { checkedBody, contentCheck } from "../proof/content.ts";
import { type About, nameOf, unproven } from "../error-mapping.ts";
import type { Call, Download, KeptBytes, S3 } from "../interface.ts";
import type { Store } from "../store.ts";
import { type OpenObject, openObject } from "./open-object.ts";
import { partsOfObject } from "./object-parts.ts";

export type GetRequest = Parameters<S3["get"]>[0];

/**
 * Opens an object's content: in several ranges at once where it is large, and compared with what the store says of it where all of it is read.
 * What `ifMatch` asks is checked here too, because some stores ignore it.
 */
export async function get(store: Store, request: GetRequest, call: Call): Promise<Download> {
  const { bucket, key, versionId } = request.object;
  const about: About = { operation: "GetObject", bucket, key, versionId, store: store.name };
  const opened = await openObject(store, request, call);
  const { size, facts } = opened;
  try {
    if (request.range !== undefined && !opened.ranged) throw unproven(about, "the range that was asked for", 200);
    const offset = request.range === undefined ? 0 : offsetOf(request.range, facts.details.size);
    const whole = size === facts.details.size;
    const parts = whole ? await partsOfObject(store, facts, call) : undefined;
    const check = whole ? contentCheck(facts, parts) : undefined;
    const keeps = check !== undefined && size > store.transfer.threshold;
    const kept = keeps ? await request.kept?.(facts.details) : undefined;
    const content =
      kept === undefined
        ? inRanges(store, request, { ...opened, offset }, call)
        : afterKept(store, request, kept, opened, call);
    const body = counted(content, request.progress?.(size));
    let verdict: "same" | "unknown" = "unknown";
    const compared: Download["compared"] = () => (verdict === "same" ? check?.by : undefined);
    if (check === undefined) return { body, size, object: facts.details, facts, compared };
    const onVerdict = (reached: typeof verdict): void => {
      verdict = reached;
    };
    const checked = checkedBody(body, check, { about, onVerdict });
    return { body: checked, size, object: facts.details, facts, compared, ...(parts !== undefined && { parts }) };
  } catch (error) {
    opened.body.destroy();
    throw error;
  }
}

/** What an earlier attempt kept, and then the rest, which is asked for when its turn comes: a store does not wait for the disk. */
function afterKept(store: Store, request: GetRequest, kept: KeptBytes, opened: OpenObject, call: Call): Readable {
  const { size, facts } = opened;
  opened.body.destroy();
  // At least one byte is still to come: an empty range cannot be asked for. Behind the content more may lie than is its own.
  const start = Math.min(kept.size, size - 1);
  let rest: Readable | undefined;
  async function* chunks(): AsyncGenerator<Buffer> {
    for await (const chunk of kept.read(start)) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    const { etag, versionId = request.object.versionId } = facts.details;
    const object = { ...request.object, ...(versionId !== undefined && { versionId }) };
    const range = { start, end: size - 1 };
    const part = await openObject(store, { object, range, ifMatch: etag }, call).catch((error: unknown) => {
      throw asChanged(error, request.object, etag);
    });
    rest = part.ranged ? inRanges(store, request, { ...part, offset: start }, call) : part.body;
    let skip = part.ranged ? 0 : start;
    for await (const chunk of rest as AsyncIterable<Buffer>) {
      if (skip < chunk.length) yield chunk.subarray(skip);
      skip = Math.max(0, skip - chunk.length);
    }
  }
  return pulledStream(chunks(), () => rest?.destroy());
}

function counted(body: Readable, onBytes: ((bytes: number) => void) | undefined): Readable {
  if (onBytes === undefined) return body;
  async function* chunks(count: (bytes: number) => void): AsyncGenerator<Buffer> {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      count(chunk.length);
      yield chunk;
    }
  }
  return pulledStream(chunks(onBytes), () => body.destroy());
}

function offsetOf(range: NonNullable<GetRequest["range"]>, whole: number): number {
  return "last" in range ? Math.max(0, whole - range.last) : range.start;
}

/** The answer's own body where that is small, else several ranges at once, each fenced by the version and ETag of the first answer. */
function inRanges(
  store: Store,
  { object }: GetRequest,
  { body, size, facts, offset }: OpenObject & { readonly offset: number },
  call: Call,
): Readable {
  const { threshold, partSize, concurrency } = store.transfer;
  if (size <= Math.max(threshold, partSize) || concurrency === 1) return body;
  const { etag, versionId = object.versionId } = facts.details;
  const pinned = { ...object, ...(versionId !== undefined && { versionId }) };
  const open = async ({ start, end }: Span, signal: AbortSignal): Promise<Readable | undefined> => {
    const range = { start: offset + start, end: offset + end - 1 };
    const part = await openObject(store, { object: pinned, range, ifMatch: etag }, { signal }).catch(
      (error: unknown) => {
        throw asChanged(error, object, etag);
      },
    );
    if (part.ranged) return part.body;
    part.body.destroy();
    return undefined;
  };
  return rangedBody({ first: body, size, partSize, concurrency, open, budget: store.downloads, signal: call.signal });
}

/** A part that is refused or gone shows that another object has taken the place of the one that was begun. */
function asChanged(error: unknown, object: GetRequest["object"], etag: string): unknown {
  const changed = error instanceof ActivityError && (error.httpStatus === 412 || error.httpStatus === 404);
  if (!changed) return error;
  const sentence = `expected ${nameOf(object)} with ETag ${etag} to the end, found another object or none while it was read`;
  return new ActivityError("SourceChanged", sentence, { httpStatus: 412, cause: error });
}
