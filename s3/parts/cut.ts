import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import type { About } from "../error-mapping.ts";
import { notWhole } from "./not-whole.ts";

/** One part of a body, in memory. */
export type PartBytes = { readonly number: number; readonly bytes: Buffer; readonly md5: Buffer };

type Cut = {
  readonly body: Readable;
  /** Bytes of the whole, of which the body begins behind part number `after`. */
  readonly size: number;
  readonly partSize: number;
  readonly after: number;
  /** Hex, of the whole, where it is known and the body begins at the beginning. */
  readonly sha256: string | undefined;
  /** Whether a chunk's memory may be given back once it is copied. */
  readonly ownsChunks: boolean;
  /** Buffers that are free again; filled by whoever has sent a part. */
  readonly free: Buffer[];
  readonly about: About;
};

/** The parts of a body in order. Fails with `IncompleteBody` where the whole has not the size or the SHA-256 that were promised. */
export async function* cutIntoParts({
  body,
  size,
  partSize,
  after,
  sha256,
  ownsChunks,
  free,
  about,
}: Cut): AsyncGenerator<PartBytes> {
  const sha = sha256 === undefined ? undefined : createHash("sha256");
  let at = Math.min(size, after * partSize);
  let part = beginPart(after + 1, Math.max(0, Math.min(partSize, size - at)), free);
  for await (const chunk of body as AsyncIterable<Buffer>) {
    if (at + chunk.length > size) throw notWhole(about, `expected ${size} bytes, got more`);
    sha?.update(chunk);
    for (let taken = 0; taken < chunk.length;) {
      const count = part.take(chunk, taken);
      taken += count;
      at += count;
      if (!part.isFull()) continue;
      yield part.finish();
      part = beginPart(part.number + 1, Math.min(partSize, size - at), free);
    }
    if (ownsChunks) giveBack(chunk);
  }
  if (at !== size) throw notWhole(about, `expected ${size} bytes, got ${at}`);
  if (sha !== undefined && sha.digest("hex") !== sha256)
    throw notWhole(about, `expected the SHA-256 ${sha256}, got another`);
}

/** Not what shares its memory with others, as small buffers do. */
function giveBack({ buffer, length }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0);
}

function beginPart(number: number, length: number, free: Buffer[]) {
  const known = free.pop();
  const memory = known !== undefined && known.buffer.byteLength >= length ? known : undefined;
  const bytes = memory === undefined ? Buffer.allocUnsafeSlow(length) : Buffer.from(memory.buffer, 0, length);
  const hash = createHash("md5");
  let filled = 0;
  return {
    number,
    isFull: () => filled === length && length > 0,
    /** How many bytes of the chunk, from `from` on, it took. */
    take(chunk: Buffer, from: number): number {
      const count = chunk.copy(bytes, filled, from, from + length - filled);
      hash.update(bytes.subarray(filled, filled + count));
      filled += count;
      return count;
    },
    finish: (): PartBytes => ({ number, bytes, md5: hash.digest() }),
  };
}
