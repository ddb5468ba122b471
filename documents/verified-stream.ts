import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { callbackify } from "node:util";
import type { DocumentPointer } from "../model/entities.ts";
import { documentCorrupt } from "./errors.ts";

/** Bytes a stream holds ready for its reader. */
const HIGH_WATER = 256 * 1024;

/** Where the bytes come from. */
export type StoredContent = {
  /** The next piece, `undefined` at the end. Called again only after it answered. */
  next(): Promise<Uint8Array | undefined>;
  /** Closes file or socket; called once, however the stream ends. */
  release(): Promise<void>;
};

type Options = {
  readonly signal?: AbortSignal | undefined;
  /** Called once, after the reader took the verified end; `close` waits for it, and it never rejects. */
  readonly consumed?: (() => Promise<void>) | undefined;
};

/**
 * The content as a stream that ends only where size and sha256 are the pointer's, and else errors with `DocumentCorrupt`. A reader that
 * stops early does not count as having consumed it. The signal's abort destroys the stream with its reason.
 */
export function verifiedStream(
  content: StoredContent,
  pointer: DocumentPointer,
  { signal, consumed }: Options = {},
): Readable {
  const verifiedNext = verifying(content, pointer);

  const advance = async (): Promise<void> => {
    try {
      const chunk = await verifiedNext();
      if (!stream.destroyed) stream.push(chunk);
    } catch (error) {
      stream.destroy(asError(error));
    }
  };
  const onAbort = () => stream.destroy(asError(signal?.reason));
  const finish = async (error: Error | null): Promise<void> => {
    signal?.removeEventListener("abort", onAbort);
    await content.release();
    if (error !== null) throw error;
    // `end` was emitted: the reader has every byte, and they were the right ones.
    if (stream.readableEnded) await consumed?.();
  };

  const stream = new Readable({
    highWaterMark: HIGH_WATER,
    read: () => void advance(),
    destroy: callbackify(finish),
  });
  // Whoever reads it sees the error; before anybody does, an error without a listener would end the process.
  stream.on("error", () => undefined);
  if (signal?.aborted === true) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  return stream;
}

/** The next piece; `null` where the content ended and is what the pointer says. */
function verifying(content: StoredContent, { id, size, sha256 }: DocumentPointer): () => Promise<Uint8Array | null> {
  const hash = createHash("sha256");
  let count = 0;
  return async () => {
    const chunk = await content.next();
    if (chunk !== undefined) {
      count += chunk.length;
      if (count > size) throw documentCorrupt(id, `has more than the expected ${size} bytes`);
      hash.update(chunk);
      return chunk;
    }
    if (count !== size) throw documentCorrupt(id, `has ${count} bytes, expected ${size}`);
    const got = hash.digest("hex");
    if (got !== sha256) throw documentCorrupt(id, `has content with sha256 ${got}, expected ${sha256}`);
    return null;
  };
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason), { cause: reason });
}
