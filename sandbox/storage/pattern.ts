/**
 * Content that is computed instead of stored: byte `offset` of pattern `seed` is always the same, so an object of many GiB
 * costs no memory and any range of it can be read.
 *
 * The block's length is prime: parts of a multipart copy that end up in the wrong order read back differently.
 */
const PERIOD = 1_048_573;

// Twice the period, so that every chunk is one subarray without a seam.
const block = makeBlock();

function makeBlock(): Buffer {
  const bytes = Buffer.allocUnsafe(PERIOD * 2);
  let state = 0x9e3779b9;
  for (let i = 0; i < PERIOD; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state & 0xff;
  }
  bytes.copyWithin(PERIOD, 0, PERIOD);
  return bytes;
}

/** The bytes of a pattern in chunks of at most 1 MiB. The chunks are shared memory: do not write to them. */
export function* patternChunks(seed: number, offset: number, length: number): Generator<Buffer> {
  const shift = (Math.imul(seed ^ 0x5bd1e995, 2_654_435_761) >>> 0) % PERIOD;
  let done = 0;
  while (done < length) {
    const start = (offset + done + shift) % PERIOD;
    const size = Math.min(PERIOD, length - done);
    yield block.subarray(start, start + size);
    done += size;
  }
}

/** A 32-bit seed for a name (FNV-1a). */
export function seedOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
