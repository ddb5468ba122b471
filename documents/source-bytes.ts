import { Readable } from "node:stream";
import { ActivityError } from "../model/activity-error.ts";
import { documentIncomplete } from "./errors.ts";
import type { DocumentSource } from "./interface.ts";

/** Larger pieces are cut, so that hashing one never holds the event loop for long. */
const MAX_CHUNK = 1024 * 1024;

/** Smaller ones are gathered: a source that gives line by line must not cost a write per line. */
const MIN_CHUNK = 256 * 1024;

/** But not for longer than this: bytes that arrive are the sign of life of a write, see ORPHAN_AGE_MS. */
const MAX_HOLD_MS = 60_000;

/**
 * The bytes of a source, in pieces, at the pace of whoever takes them. On abort it ends at once with the signal's reason, also
 * where the source itself never answers again; where it does not come to its end, the source is released.
 * Throws `DocumentIncomplete` where the source fails, unless it failed with an ActivityError of its own.
 */
export async function* sourceBytes(
  source: DocumentSource,
  { name, signal }: { readonly name: string; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<Uint8Array, void, undefined> {
  if (typeof source === "string" || source instanceof Uint8Array) {
    yield* cut(toBytes(source, name));
    return;
  }
  if (source instanceof Readable && (source.readableEnded || source.destroyed))
    throw documentIncomplete(name, "cannot be read: its stream was read or destroyed before");
  const iterator = source[Symbol.asyncIterator]();
  const gathered = gather();
  let finished = false;
  try {
    for (;;) {
      const { done, value } = await nextOf(iterator, name, signal);
      if (done === true) break;
      yield* gathered.add(toBytes(value, name));
    }
    finished = true;
    yield* gathered.rest();
  } finally {
    if (!finished) release(source, iterator);
  }
}

/** For a write that failed, perhaps before it took a first byte: nobody will read the source any more. Never throws. */
export function releaseSource(source: DocumentSource): void {
  if (typeof source === "string" || source instanceof Uint8Array) return;
  try {
    release(source, source[Symbol.asyncIterator]());
  } catch {
    // It can be opened but once, as a web stream, and was released where it was read; or it is no source at all.
  }
}

/** Throws `InvalidInput` for what cannot be a document's content. */
export function checkSource(source: DocumentSource): void {
  const given: unknown = source;
  if (typeof given === "string" || given instanceof Uint8Array) return;
  if (typeof given === "object" && given !== null && Symbol.asyncIterator in given) return;
  const got = typeof given === "object" && given !== null ? given.constructor.name : String(given);
  throw new ActivityError(
    "InvalidInput",
    `source: expected text, a Uint8Array, or a stream or other async iterable of them, got ${got}`,
    { field: "source" },
  );
}

/** One step of the source, or the signal's reason. A race with one lasting promise would keep a reaction per step alive in it. */
async function nextOf<T>(
  iterator: AsyncIterator<T>,
  name: string,
  signal: AbortSignal | undefined,
): Promise<IteratorResult<T>> {
  signal?.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([iterator.next(), aborted.promise]);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ActivityError) throw error;
    throw documentIncomplete(name, `broke off: ${String(error)}`, error);
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

function release(source: Readable | AsyncIterable<unknown>, iterator: AsyncIterator<unknown>): void {
  if (source instanceof Readable) source.destroy();
  // Not awaited: a generator that hangs in its own await would never come back. Its failure changes nothing any more.
  else iterator.return?.().catch(() => undefined);
}

function toBytes(chunk: unknown, name: string): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (typeof chunk === "string" && chunk.isWellFormed()) return Buffer.from(chunk);
  const got = typeof chunk === "string" ? "a string with half a surrogate pair" : typeof chunk;
  throw new ActivityError(
    "InvalidInput",
    `document ${JSON.stringify(name)} expected bytes or well-formed text, got ${got}`,
  );
}

/** Passes on what is large, and what is small once there is enough of it. */
function gather() {
  let held: Uint8Array[] = [];
  let length = 0;
  let since = Date.now();
  function* rest(): Generator<Uint8Array, void, undefined> {
    if (length > 0) yield* cut(held.length === 1 && held[0] !== undefined ? held[0] : Buffer.concat(held, length));
    held = [];
    length = 0;
    since = Date.now();
  }
  function* add(chunk: Uint8Array): Generator<Uint8Array, void, undefined> {
    held.push(chunk);
    length += chunk.length;
    if (length >= MIN_CHUNK || Date.now() - since > MAX_HOLD_MS) yield* rest();
  }
  return { add, rest };
}

function* cut(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  if (bytes.length <= MAX_CHUNK) yield bytes;
  else for (let at = 0; at < bytes.length; at += MAX_CHUNK) yield bytes.subarray(at, at + MAX_CHUNK);
}
