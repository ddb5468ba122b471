import { defineHandler } from "../handler.ts";
import { presignObject } from "./contract.ts";

/** A document lives for a minute at least. */
const MIN_TTL_S = 60;

export const presignObjectHandler = defineHandler(
  presignObject,
  async ({ object, method, expiresIn }, { s3, documents, signal }) => {
    const signed = await s3.presign({ object, method, expiresIn }, { signal });
    const document = await documents.write(JSON.stringify(signed), {
      name: "presigned-url.json",
      contentType: "application/json",
      // Of no use after the URL has expired. Until then it can be asked for again, as any result can.
      ttl: Math.max(MIN_TTL_S, expiresIn),
      deleteAfterDownload: false,
      signal,
    });
    return { document };
  },
);
