import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import { z } from "zod";
import type { DocumentStore } from "../../documents/document-store.ts";
import { ActivityError } from "../../model/activity-error.ts";
import { DocumentPointer } from "../../model/entities.ts";
import type { DashboardSettings } from "../config.ts";
import { HttpProblem } from "../http/problem.ts";
import { abortedWith } from "../http/request-signal.ts";
import { type ApiRoute, defineRoute } from "../http/route.ts";
import { flagText, wholeText } from "./job-schemas.ts";

export type DocumentRouteDeps = {
  readonly config: DashboardSettings;
  readonly documents: () => Promise<DocumentStore>;
};

const tag = "documents";
const path = "/api/documents/:id";
const params = z.object({ id: DocumentPointer.shape.id });
const bytes = { description: "The content", type: "application/octet-stream" };

export function documentRoutes({ config, documents }: DocumentRouteDeps): readonly ApiRoute[] {
  const find = async (id: string): Promise<DocumentPointer> => {
    const pointer = await (await documents()).find(id);
    if (pointer === undefined)
      throw new ActivityError("DocumentNotFound", `no document ${id}; it was read or deleted already`);
    return pointer;
  };

  return [
    uploadRoute({ config, documents }),
    defineRoute({
      method: "GET",
      path,
      access: "operate",
      tag,
      summary: "Download a document",
      description:
        "Verified while it is sent: where it proves to be damaged, the connection breaks. A document with `deleteAfterDownload` is deleted once it " +
        "was sent whole, unless `keep=true`.",
      params,
      query: z.object({ keep: flagText.default(false) }),
      answers: { 200: bytes },
      plainHead: true,
      handler: async ({ params: { id }, query: { keep } }, reply) => {
        const store = await documents();
        const pointer = await find(id);
        // Kept until the last byte has left: a reader whose connection broke can come again.
        const content = await store.read(pointer, { keep: true, signal: abortedWith(reply) });
        if (pointer.deleteAfterDownload && !keep) deleteWhenSent(reply, () => store.delete(id));
        return describe(reply, pointer).send(Readable.from(verifiedToTheEnd(content), { objectMode: false }));
      },
    }),
    defineRoute({
      method: "HEAD",
      path,
      access: "operate",
      tag,
      summary: "Look at a document without reading it",
      params,
      answers: { 200: { description: "Its size and type, in the headers" } },
      handler: async ({ params: { id } }, reply) => describe(reply, await find(id)).send(),
    }),
    defineRoute({
      method: "DELETE",
      path,
      access: "operate",
      tag,
      summary: "Delete a document",
      params,
      answers: { 204: { description: "It is not there (any more)" } },
      handler: async ({ params: { id } }, reply) => {
        await (await documents()).delete(id);
        return reply.code(204).send();
      },
    }),
  ];
}

function uploadRoute({ config, documents }: DocumentRouteDeps): ApiRoute {
  return defineRoute({
    method: "POST",
    path: "/api/documents",
    access: "operate",
    tag,
    summary: "Upload a document",
    description:
      "The body is the content, streamed; Content-Type is its type. The answer is the pointer that put-object takes as `document`.",
    query: z.object({
      name: z.string().min(1).max(1024),
      ttl: wholeText(60, 31_536_000).optional().describe("Seconds until it may be removed; default a day"),
      deleteAfterDownload: flagText.optional(),
    }),
    body: "bytes",
    answers: { 201: { description: "The pointer", schema: DocumentPointer } },
    handler: async ({ request, query, body }, reply) => {
      if (!(body instanceof Readable))
        throw new HttpProblem(422, "InvalidInput", "body: expected the content", { field: "body" });
      const length = request.headers["content-length"];
      const size = length === undefined ? undefined : Number(length);
      if (size !== undefined && size > config.maxDocumentBytes) throw tooLarge(config.maxDocumentBytes);
      const store = await documents();
      const within = atMost(body, config.maxDocumentBytes);
      try {
        const pointer = await store.write(within.content, {
          ...query,
          contentType: contentTypeOf(request.headers["content-type"]),
          size,
          signal: abortedWith(reply),
        });
        reply.code(201).header("location", `/api/documents/${pointer.id}`);
        return pointer;
      } catch (error) {
        // The store only sees that the content ended.
        throw within.exceeded() ? tooLarge(config.maxDocumentBytes) : error;
      }
    },
  });
}

function atMost(body: Readable, limit: number): { content: AsyncIterable<Uint8Array>; exceeded: () => boolean } {
  let sent = 0;
  async function* content(): AsyncGenerator<Uint8Array> {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      sent += chunk.byteLength;
      if (sent > limit) throw tooLarge(limit);
      yield chunk;
    }
  }
  return { content: content(), exceeded: () => sent > limit };
}

function tooLarge(limit: number): HttpProblem {
  return new HttpProblem(
    413,
    "BodyTooLarge",
    `expected at most ${limit} bytes (BUCKETLINE_DASHBOARD_MAX_DOCUMENT_BYTES)`,
  );
}

function contentTypeOf(header: string | undefined): string {
  return header === undefined || header === "" ? "application/octet-stream" : header.slice(0, 256);
}

/**
 * What is stored may be anybody's HTML: it is sent as a file to be saved, never as a page of ours.
 * https://www.rfc-editor.org/rfc/rfc6266
 */
function describe(reply: FastifyReply, pointer: DocumentPointer): FastifyReply {
  const ascii = pointer.name.replaceAll(/[^\x20-\x7e]|["\\%]/g, "_");
  const type = /^[\x20-\x7e]+$/.test(pointer.contentType) ? pointer.contentType : "application/octet-stream";
  return reply
    .type(type)
    .header("content-length", pointer.size)
    .header("content-disposition", `attachment; filename="${ascii}"; filename*=UTF-8''${rfc5987(pointer.name)}`)
    .header("content-security-policy", "sandbox; default-src 'none'")
    .header("repr-digest", `sha-256=:${Buffer.from(pointer.sha256, "hex").toString("base64")}:`)
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
async function* verifiedToTheEnd(content: Readable): AsyncGenerator<Uint8Array> {
  let held: Uint8Array | undefined;
  for await (const piece of content as AsyncIterable<Uint8Array>) {
    if (held !== undefined) yield held;
    held = piece;
  }
  if (held !== undefined) yield held;
}

function deleteWhenSent(reply: FastifyReply, remove: () => Promise<void>): void {
  reply.raw.once("finish", () => {
    remove().catch((error: unknown) =>
      reply.log.warn({ err: error }, "could not delete a document after its download; the sweeper will"),
    );
  });
}
