import crypto, { createHash } from "node:crypto";
import { patternChunks } from "./pattern.ts";

/**
 * The content of an object as a list of extents. `bytes` is held in memory, `pattern` is computed when read, `dropped` was
 * received by a sink bucket, counted and hashed, and thrown away.
 */
export type Extent =
  | { kind: "bytes"; bytes: Buffer }
  | { kind: "pattern"; seed: number; offset: number; length: number }
  | { kind: "dropped"; length: number };

export type Body = { size: number; extents: readonly Extent[] };

export const EMPTY_BODY: Body = { size: 0, extents: [] };
export const EMPTY_MD5 = "d41d8cd98f00b204e9800998ecf8427e";

/** Up to this size the ETag of computed content is its true MD5; above it stands for the description of the content. */
const TRUE_MD5_LIMIT = 2 * 1024 ** 3;

/** Taking one costs 1.4 s for each GiB, so those of large computed content are kept. */
const MD5_CACHE_FROM = 16 * 1024;
const MD5_CACHE_SIZE = 10_000;
const knownMd5s = new Map<string, string>();

export function bytesBody(bytes: Buffer): Body {
  return bytes.length === 0 ? EMPTY_BODY : { size: bytes.length, extents: [{ kind: "bytes", bytes }] };
}

export function patternBody(seed: number, size: number): Body {
  return size === 0 ? EMPTY_BODY : { size, extents: [{ kind: "pattern", seed, offset: 0, length: size }] };
}

export function droppedBody(size: number): Body {
  return size === 0 ? EMPTY_BODY : { size, extents: [{ kind: "dropped", length: size }] };
}

/** True when every byte can be read back. */
export function isReadable(body: Body): boolean {
  return body.extents.every((extent) => extent.kind !== "dropped");
}

/** True when the whole content is in memory. */
export function isStored(body: Body): boolean {
  return body.extents.every((extent) => extent.kind === "bytes");
}

/** `length` bytes from `start`, without copying them. */
export function sliceBody(body: Body, start: number, length: number): Body {
  if (start === 0 && length === body.size) return body;
  const extents: Extent[] = [];
  let position = 0;
  for (const extent of body.extents) {
    const size = extentLength(extent);
    const from = Math.max(start - position, 0);
    const to = Math.min(start + length - position, size);
    if (to > from) extents.push(sliceExtent(extent, from, to));
    position += size;
  }
  return { size: length, extents };
}

/** Bodies one after the other; neighbouring ranges of one pattern become one range again. */
export function joinBodies(bodies: readonly Body[]): Body {
  const extents: Extent[] = [];
  let size = 0;
  for (const body of bodies) {
    size += body.size;
    for (const extent of body.extents) {
      const last = extents.at(-1);
      if (
        last?.kind === "pattern" &&
        extent.kind === "pattern" &&
        last.seed === extent.seed &&
        last.offset + last.length === extent.offset
      ) {
        extents[extents.length - 1] = { ...last, length: last.length + extent.length };
      } else {
        extents.push(extent);
      }
    }
  }
  return { size, extents };
}

/** The content in chunks. Throws for a body that a sink bucket dropped. */
export function* bodyChunks(body: Body): Generator<Buffer> {
  for (const extent of body.extents) {
    if (extent.kind === "bytes") yield extent.bytes;
    else if (extent.kind === "pattern") yield* patternChunks(extent.seed, extent.offset, extent.length);
    else throw new Error(`this content of ${extent.length} bytes was dropped by a sink bucket and cannot be read`);
  }
}

/** The whole content in one buffer. */
export function bodyBytes(body: Body): Buffer {
  const only = body.extents.length === 1 ? body.extents[0] : undefined;
  if (only?.kind === "bytes") return only.bytes;
  return Buffer.concat([...bodyChunks(body)], body.size);
}

/**
 * The MD5 of the content in hex: what S3 uses as the ETag of a plain object. Computed content above 2 GiB and dropped content get
 * the MD5 of their description instead (equal content of one origin still has equal ETags), since hashing 6 GiB takes seconds.
 */
export function bodyMd5(body: Body): string {
  if (body.size === 0) return EMPTY_MD5;
  if (!isStored(body) && (body.size > TRUE_MD5_LIMIT || !isReadable(body))) return describeMd5(body);
  const only = body.extents.length === 1 ? body.extents[0] : undefined;
  if (only?.kind === "bytes") return crypto.hash("md5", only.bytes);
  if (only?.kind !== "pattern" || only.length < MD5_CACHE_FROM) return md5Of(body);
  const name = `${only.seed} ${only.offset} ${only.length}`;
  const known = knownMd5s.get(name) ?? md5Of(body);
  if (knownMd5s.size >= MD5_CACHE_SIZE) knownMd5s.clear();
  knownMd5s.set(name, known);
  return known;
}

function md5Of(body: Body): string {
  const md5 = createHash("md5");
  for (const chunk of bodyChunks(body)) md5.update(chunk);
  return md5.digest("hex");
}

function describeMd5(body: Body): string {
  const md5 = createHash("md5");
  for (const extent of body.extents) {
    if (extent.kind === "bytes") md5.update(extent.bytes);
    else if (extent.kind === "pattern") md5.update(`pattern ${extent.seed} ${extent.offset} ${extent.length};`);
    else md5.update(`dropped ${extent.length};`);
  }
  return md5.digest("hex");
}

function extentLength(extent: Extent): number {
  return extent.kind === "bytes" ? extent.bytes.length : extent.length;
}

function sliceExtent(extent: Extent, from: number, to: number): Extent {
  if (extent.kind === "bytes") return { kind: "bytes", bytes: extent.bytes.subarray(from, to) };
  if (extent.kind === "pattern") return { ...extent, offset: extent.offset + from, length: to - from };
  return { kind: "dropped", length: to - from };
}
