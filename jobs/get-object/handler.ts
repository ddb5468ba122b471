import { defineHandler } from "../handler.ts";
import { getObject } from "./contract.ts";

/** A document's name is for people; the store allows 1,024 characters. */
const nameOf = (key: string): string => (key.split("/").findLast((segment) => segment !== "") ?? key).slice(0, 1024);

export const getObjectHandler = defineHandler(
  getObject,
  async (input, { s3, documents, identity, progress, signal }) => {
    const placed = documents.writePlaced !== undefined;
    const download = await s3.get({ ...input, progress, placed }, { signal });
    const { object, size } = download;
    const options = {
      name: nameOf(object.key),
      // One that is empty is none, which a document says by its default.
      contentType: object.contentType === "" ? undefined : object.contentType,
      deleteAfterDownload: input.deleteAfterDownload,
      size,
      signal,
    };
    const { etag, versionId = "" } = object;
    // Another attempt may go on with what this one leaves only where the whole is compared.
    const leftoverName = download.placed?.comparison && `${identity} ${etag} ${versionId}`;
    const document =
      download.placed !== undefined && documents.writePlaced !== undefined
        ? await documents.writePlaced(download.placed, { ...options, leftoverName })
        : await documents.write(download.body, options);
    return { document, object };
  },
);
