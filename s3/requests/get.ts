import type { Readable } from "node:stream";
import { ActivityError } from "../../model/activity-error.ts";
import { pulledStream } from "../parts/download/pulled-stream.ts";
import { type PartBody, type PlacedRanges, placeRanges } from "../parts/download/placed.ts";
import { type RangedBody, rangedBody } from "../parts/download/ranged-body.ts";
import { checkedBody, compare, contentCheck } from "../proof/content.ts";
import { type About, nameOf, unproven } from "../error-mapping.ts";
import type { PlacedContent, Span } from "../../model/content/placed.ts";
import type { Call, Download, S3 } from "../interface.ts";
import type { Store } from "../store.ts";
import { type OpenObject, openObject, openPieces } from "./open-object.ts";
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
    let verdict: "same" | "unknown" = "unknown";
    const compared = {
      about,
      onVerdict(reached: typeof verdict) {
        verdict = reached;
      },
    };
    const told = { size, object: facts.details, facts, compared: () => (verdict === "same" ? check?.by : undefined) };
    const onBytes = request.progress?.(size);
    const ranges = rangesOf(store, request, { ...opened, offset }, call);
    if (request.placed === true && size > store.transfer.threshold) {
      const comparison = check && { kind: check.kind, check: (digest: string) => compare(check, digest, compared) };
      return {
        ...told,
        body: opened.body,
        placed: { ...placedContent(ranges, onBytes), ...(comparison && { comparison }) },
      };
    }
    const body = counted(inOrder(store, ranges), onBytes);
    if (check === undefined) return { ...told, body };
    return { ...told, body: checkedBody(body, check, compared), ...(parts !== undefined && { parts }) };
  } catch (error) {
    opened.body.destroy();
    throw error;
  }
}

function placedContent(ranges: Ranges, onBytes: ((bytes: number) => void) | undefined): PlacedContent {
  return {
    size: ranges.size,
    expect(have) {
      if (have[0]?.start === 0) ranges.first.destroy();
    },
    async deliver(have, place) {
      onBytes?.(have.reduce((sum, { start, end }) => sum + end - start, 0));
      await placeRanges({ ...ranges, onBytes }, have, place);
    },
    release: () => void ranges.first.destroy(),
  };
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

type Ranges = Omit<PlacedRanges, "onBytes"> & { readonly openStream: RangedBody["open"] };

/** How the parts of what was opened are asked for, each fenced by the version and ETag of the first answer. */
function rangesOf(
  store: Store,
  { object }: GetRequest,
  { body, size, facts, offset }: OpenObject & { readonly offset: number },
  call: Call,
): Ranges {
  const { partSize, concurrency } = store.transfer;
  const { etag, versionId = object.versionId } = facts.details;
  const pinned = { ...object, ...(versionId !== undefined && { versionId }) };
  const asked = ({ start, end }: Span) => ({
    object: pinned,
    range: { start: offset + start, end: offset + end - 1 },
    ifMatch: etag,
  });
  const unlessChanged = async <Opened>(opening: Promise<Opened>): Promise<Opened> =>
    await opening.catch((error: unknown) => {
      throw asChanged(error, object, etag);
    });
  const openWhole = async (signal: AbortSignal): Promise<Readable> => {
    const range = size === facts.details.size ? {} : { range: asked({ start: 0, end: size }).range };
    return (await unlessChanged(openObject(store, { object: pinned, ifMatch: etag, ...range }, { signal }))).body;
  };
  const openStream = async (span: Span, signal: AbortSignal): Promise<Readable | undefined> => {
    const part = await unlessChanged(openObject(store, asked(span), { signal }));
    if (part.ranged) return part.body;
    part.body.destroy();
    return undefined;
  };
  const open = async (span: Span, signal: AbortSignal): Promise<PartBody | undefined> => {
    const part = await unlessChanged(openPieces(store, asked(span), { signal }));
    if (part === undefined) {
      const stream = await openStream(span, signal);
      return stream && { pieces: stream as AsyncIterable<Buffer>, areKept: true };
    }
    if (part.ranged) return { pieces: part.pieces, areKept: false };
    part.drop();
    return undefined;
  };
  return { first: body, openWhole, size, partSize, concurrency, open, openStream, signal: call.signal };
}

/** The answer's own body where that is small, else several ranges at once. */
function inOrder(store: Store, ranges: Ranges): Readable {
  const { threshold, partSize, concurrency } = store.transfer;
  if (ranges.size <= Math.max(threshold, partSize) || concurrency === 1) return ranges.first;
  return rangedBody({ ...ranges, open: ranges.openStream, budget: store.downloads });
}

/** A part that is refused or gone shows that another object has taken the place of the one that was begun. */
function asChanged(error: unknown, object: GetRequest["object"], etag: string): unknown {
  const changed = error instanceof ActivityError && (error.httpStatus === 412 || error.httpStatus === 404);
  if (!changed) return error;
  const sentence = `expected ${nameOf(object)} with ETag ${etag} to the end, found another object or none while it was read`;
  return new ActivityError("SourceChanged", sentence, { httpStatus: 412, cause: error });
}
