import { Readable } from "node:stream";
import { z } from "zod";
import type { DocumentStore } from "../../documents/interface.ts";
import { ActivityError } from "../../model/activity-error.ts";
import { DocumentPointer } from "../../model/entities.ts";
import type { Touched } from "../access/scope.ts";
import type { DashboardSettings } from "../config.ts";
import { asFile, etagOf, verifiedToTheEnd } from "../documents/as-file.ts";
import { LISTED, listHeld } from "../documents/list-held.ts";
import { HttpProblem } from "../http/problem.ts";
import { abortedWith } from "../http/request-signal.ts";
import { type ApiRoute, defineRoute } from "../http/route.ts";
import { HeldDocumentSchema } from "./page-schemas.ts";
import { flagText, wholeText } from "./job-schemas.ts";

export type DocumentRouteDeps = {
  readonly config: DashboardSettings;
  readonly documents: () => Promise<DocumentStore>;
};

const tag = "documents";
const path = "/api/documents/:id";
const params = z.object({ id: DocumentPointer.shape.id });
/** As stores make ids. */
const RANDOM_ID = /^[0-9a-f]{32}$/;

/**
 * Whoever has an id that was drawn has the content: it is in no list for tokens with a scope. Reports, plans and pages of batches have ids that
 * follow from the batch's, and are for nobody with a scope.
 */
const touches = ({ params: { id } }: { readonly params: { readonly id: string } }): readonly Touched[] =>
  RANDOM_ID.test(id) ? [] : [{ activity: "a document of a batch" }];

const bytes = { description: "The content", type: "application/octet-stream" };

/** Content that stays after a job, or comes before one. */
export function documentRoutes(deps: DocumentRouteDeps): readonly ApiRoute[] {
  return [uploadRoute(deps), listRoute(deps), downloadRoute(deps), lookRoute(deps), deleteRoute(deps)];
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
      name: z.string().min(1).max(1024).describe("Name for people, and the default key of an upload"),
      ttl: wholeText(60, 31_536_000).optional().describe("Seconds until it may be removed; default a day"),
      deleteAfterDownload: flagText.optional().describe("Whether it is removed once it was read whole; default true"),
    }),
    body: "bytes",
    touches: () => [],
    act: ({ query: { name } }, answer) => ({
      action: "document.add",
      target: { kind: "document", id: (answer as DocumentPointer | undefined)?.id ?? "" },
      detail: name,
    }),
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

function listRoute({ documents }: DocumentRouteDeps): ApiRoute {
  return defineRoute({
    method: "GET",
    path: "/api/documents",
    access: "view",
    tag,
    summary: "Documents that are held",
    description: `At most ${LISTED}, in no particular order; their content is for operators.`,
    answers: {
      200: {
        description: "Documents",
        schema: z.object({
          location: z.string().describe("Where they are held"),
          more: z.boolean().describe("Whether there are others"),
          documents: z.array(HeldDocumentSchema).describe("The documents"),
        }),
      },
    },
    handler: async (_call, reply) => listHeld(await documents(), abortedWith(reply)),
  });
}

function downloadRoute({ documents }: DocumentRouteDeps): ApiRoute {
  return defineRoute({
    method: "GET",
    path,
    access: "operate",
    tag,
    summary: "Download a document",
    description:
      "Verified while it is sent: where it proves to be damaged, the connection breaks. It stays until it expires, or until you say that you have it: " +
      "DELETE it with the ETag of this answer in If-Match.",
    params,
    query: z.object({ keep: flagText.default(false).describe("Without effect: kept for those who still send it") }),
    touches,
    act: ({ params: { id } }) => ({ action: "document.read", target: { kind: "document", id } }),
    answers: { 200: bytes },
    plainHead: true,
    handler: async ({ params: { id } }, reply) => {
      const store = await documents();
      const pointer = await existing(store, id);
      // Kept: that the last byte was sent does not say that it arrived, and nobody but the reader knows.
      const content = await store.read(pointer, { keep: true, signal: abortedWith(reply) });
      return asFile(reply, pointer).send(Readable.from(verifiedToTheEnd(content), { objectMode: false }));
    },
  });
}

function lookRoute({ documents }: DocumentRouteDeps): ApiRoute {
  return defineRoute({
    method: "HEAD",
    path,
    access: "operate",
    tag,
    summary: "Look at a document without reading it",
    params,
    touches,
    answers: { 200: { description: "Its size and type, in the headers" } },
    handler: async ({ params: { id } }, reply) => asFile(reply, await existing(await documents(), id)).send(),
  });
}

function deleteRoute({ documents }: DocumentRouteDeps): ApiRoute {
  return defineRoute({
    method: "DELETE",
    path,
    access: "operate",
    tag,
    summary: "Delete a document",
    description:
      "With If-Match only the document that was read, and never one that has replaced it: the acknowledgement of a download.",
    params,
    touches,
    headers: z.object({ "if-match": z.string().min(1).max(256).optional().describe("The ETag of the download") }),
    answers: {
      204: { description: "It is not there (any more)" },
      412: { description: "Another document has its id" },
    },
    handler: async ({ params: { id }, headers: { "if-match": etag } }, reply) => {
      const store = await documents();
      if (etag === undefined) await store.delete(id);
      else await acknowledge(store, id, etag);
      return reply.code(204).send();
    },
  });
}

async function existing(store: DocumentStore, id: string): Promise<DocumentPointer> {
  const pointer = await store.find(id);
  if (pointer === undefined)
    throw new ActivityError("DocumentNotFound", `no document ${id}; it was read or deleted already`);
  return pointer;
}

/** What is gone already needs nothing more. */
async function acknowledge(store: DocumentStore, id: string, etag: string): Promise<void> {
  const pointer = await store.find(id);
  if (pointer === undefined) return;
  if (etagOf(pointer) !== etag.trim())
    throw new HttpProblem(
      412,
      "PreconditionFailed",
      `document ${id} is another one by now; expected ETag ${etagOf(pointer)}`,
    );
  await store.deleteExact(pointer);
}
