import type { ResultOf } from "../contract.ts";
import { ActivityError } from "../../model/activity-error.ts";
import type { DocumentStore } from "../../documents/document-store.ts";
import type { DocumentPointer } from "../../model/entities.ts";
import { defineHandler } from "../handler.ts";
import { written } from "../transfer.ts";
import { putObject } from "./contract.ts";

export const putObjectHandler = defineHandler(
  putObject,
  async (input, { s3, documents, evidence, signal, log }): Promise<ResultOf<typeof putObject>> => {
    const { bucket, key, document, ifNoneMatch, ifMatch } = input;
    const { metadata, tags, storageClass, encryption, contentType = document.contentType } = input;
    const done = await evidence.copied();
    if (done !== undefined) return { success: true, object: written(done) };
    const body = await documents.read(document, { keep: true, signal });
    try {
      const object = await s3.put(
        {
          bucket,
          key,
          body,
          size: document.size,
          sha256: document.sha256,
          attributes: { contentType, metadata, tags, storageClass, encryption },
          ifNoneMatch,
          ifMatch,
          upload: evidence.upload,
        },
        { signal },
      );
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

/** Pointer and document must both say so, as for a download: a pointer that somebody changed deletes nothing, nor what replaced the document. */
async function removeInput(documents: DocumentStore, pointer: DocumentPointer): Promise<void> {
  if (!pointer.deleteAfterDownload) return;
  const stored = await documents.find(pointer.id);
  if (stored?.deleteAfterDownload === true && stored.sha256 === pointer.sha256) await documents.delete(pointer.id);
}
