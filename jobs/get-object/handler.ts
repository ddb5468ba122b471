import { defineHandler } from "../handler.ts";
import { getObject } from "./contract.ts";

/** A document's name is for people; the store allows 1,024 characters. */
const nameOf = (key: string): string => (key.split("/").findLast((segment) => segment !== "") ?? key).slice(0, 1024);

export const getObjectHandler = defineHandler(getObject, async (input, { s3, documents, progress, signal }) => {
  const { body, size, object } = await s3.get({ ...input, progress }, { signal });
  const document = await documents.write(body, {
    name: nameOf(object.key),
    // One that is empty is none, which a document says by its default.
    contentType: object.contentType === "" ? undefined : object.contentType,
    deleteAfterDownload: input.deleteAfterDownload,
    size,
    signal,
  });
  return { document, object };
});
