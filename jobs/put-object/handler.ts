import { createHash } from "node:crypto";
import type { z } from "zod";
import type { S3 } from "../../s3/interface.ts";
import type { ResultOf } from "../contract.ts";
import { ActivityError } from "../../model/activity-error.ts";
import type { DocumentStore } from "../../documents/interface.ts";
import { type DocumentPointer, type ObjectDetails } from "../../model/entities.ts";
import { attributesOf } from "../../model/object-attributes.ts";
import { defineHandler } from "../handler.ts";
import { written } from "../transfer.ts";
import { putObject } from "./contract.ts";

export const putObjectHandler = defineHandler(
  putObject,
  async (input, { s3, documents, evidence, progress, signal, log }): Promise<ResultOf<typeof putObject>> => {
    const { bucket, key, document, ifNoneMatch, ifMatch } = input;
    const done = await evidence.copied();
    if (done !== undefined) return { success: true, object: written(done) };
    const conditional = ifNoneMatch !== undefined || ifMatch !== undefined;
    const mayBeDone = conditional && (await evidence.beganBefore());
    const body = await documents.read(document, { keep: true, signal });
    try {
      const upload = {
        bucket,
        key,
        body,
        size: document.size,
        sha256: document.sha256,
        selfVerified: true,
        ownsChunks: true,
        attributes: { contentType: document.contentType, ...attributesOf(input) },
        ifNoneMatch,
        ifMatch,
        upload: evidence.upload,
        onBytes: progress(document.size),
      };
      const object = await s3.put(upload, { signal }).catch(async (error: unknown) => {
        const ours = mayBeDone && isRefusal(error) ? await findUploaded(input, s3, signal) : undefined;
        if (ours === undefined) throw error;
        return ours;
      });
      // Before the document goes: a redelivery would not find it any more.
      await evidence.recordCopy({ ...written(object), verified: "etag" });
      await removeInput(documents, document).catch((error: unknown) => {
        log.warn({ err: error, document: document.id }, "the uploaded document stays until it expires");
      });
      return { success: true, object: written(object) };
    } catch (error) {
      body.destroy();
      throw error instanceof ActivityError && error.code === "DocumentNotFound"
        ? new ActivityError(error.code, `document: ${error.message}`, { field: "document", cause: error })
        : error;
    }
  },
);

function isRefusal(error: unknown): boolean {
  return error instanceof ActivityError && error.httpStatus === 412;
}

/**
 * The object, where it holds the document. An earlier run of this job may have uploaded it and died before it could say so; then the condition that
 * it met is met no more. Read whole, because an ETag tells little of an upload in parts.
 */
async function findUploaded(
  { bucket, key, document }: z.output<typeof putObject.input>,
  s3: S3,
  signal: AbortSignal,
): Promise<ObjectDetails | undefined> {
  const there = await s3.find({ bucket, key }, { signal });
  if (there?.size !== document.size) return undefined;
  const { body } = await s3.get({ object: { bucket, key }, ifMatch: there.etag }, { signal });
  const hash = createHash("sha256");
  for await (const chunk of body as AsyncIterable<Uint8Array>) hash.update(chunk);
  return hash.digest("hex") === document.sha256 ? there : undefined;
}

/** Pointer and document must both say so, as for a download: a pointer that somebody changed deletes nothing, nor what replaced the document. */
async function removeInput(documents: DocumentStore, pointer: DocumentPointer): Promise<void> {
  if (!pointer.deleteAfterDownload) return;
  const stored = await documents.find(pointer.id);
  if (stored?.deleteAfterDownload === true && stored.sha256 === pointer.sha256) await documents.deleteExact(stored);
}
