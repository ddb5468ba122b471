import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import type { DocumentPointer } from "../../model/entities.ts";

/**
 * What is stored may be anybody's HTML: it is sent as a file to be saved, never as a page of ours.
 * https://www.rfc-editor.org/rfc/rfc6266
 */
export function asFile(reply: FastifyReply, pointer: DocumentPointer): FastifyReply {
  const ascii = pointer.name.replaceAll(/[^\x20-\x7e]|["\\%]/g, "_");
  const type = /^[\x20-\x7e]+$/.test(pointer.contentType) ? pointer.contentType : "application/octet-stream";
  return reply
    .type(type)
    .header("content-length", pointer.size)
    .header("content-disposition", `attachment; filename="${ascii}"; filename*=UTF-8''${rfc5987(pointer.name)}`)
    .header("content-security-policy", "sandbox; default-src 'none'")
    .header("repr-digest", `sha-256=:${Buffer.from(pointer.sha256, "hex").toString("base64")}:`)
    .header("etag", etagOf(pointer))
    .header("cache-control", "no-store");
}

function rfc5987(name: string): string {
  return encodeURIComponent(name.toWellFormed()).replaceAll(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/**
 * The stream only finds out at its end that it was damaged. The last piece waits for that: otherwise a reader would have received as many
 * bytes as were announced, and would take them for the document.
 */
export async function* verifiedToTheEnd(content: Readable): AsyncGenerator<Uint8Array> {
  let held: Uint8Array | undefined;
  for await (const piece of content as AsyncIterable<Uint8Array>) {
    if (held !== undefined) yield held;
    held = piece;
  }
  if (held !== undefined) yield held;
}

/** Of one write of a document: another one under its id has another. */
export function etagOf({ id, sha256, size, name, expiresAt }: DocumentPointer): string {
  const digest = createHash("sha256")
    .update(JSON.stringify([id, sha256, size, name, expiresAt]))
    .digest("hex");
  return `"${digest.slice(0, 32)}"`;
}
