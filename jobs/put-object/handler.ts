import type { ResultOf } from "../contract.ts";
import { ActivityError } from "../activity-error.ts";
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
        },
        { signal },
      );
      // Before the document goes: a redelivery would not find it any more.
      await evidence.recordCopy({ ...written(object), verified: "etag" });
      if (document.deleteAfterDownload)
        await documents.delete(document.id).catch((error: unknown) => {
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
