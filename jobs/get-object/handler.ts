import type { ObjectDetails } from "../../model/entities.ts";
import type { KeptBytes } from "../../s3/interface.ts";
import { defineHandler } from "../handler.ts";
import { getObject } from "./contract.ts";

/** A document's name is for people; the store allows 1,024 characters. */
const nameOf = (key: string): string => (key.split("/").findLast((segment) => segment !== "") ?? key).slice(0, 1024);

export const getObjectHandler = defineHandler(getObject, async (input, context) => {
  const { s3, documents, evidence, identity, progress, signal } = context;
  let leftoverName: string | undefined;
  const kept = ({ etag, versionId = "" }: ObjectDetails): Promise<KeptBytes | undefined> => {
    leftoverName = `${identity} ${etag} ${versionId}`;
    return evidence.fresh || documents.leftover === undefined
      ? Promise.resolve(undefined)
      : documents.leftover(leftoverName);
  };
  const { body, size, object } = await s3.get({ ...input, progress, kept }, { signal });
  const document = await documents.write(body, {
    name: nameOf(object.key),
    // One that is empty is none, which a document says by its default.
    contentType: object.contentType === "" ? undefined : object.contentType,
    deleteAfterDownload: input.deleteAfterDownload,
    size,
    leftoverName,
    signal,
  });
  return { document, object };
});
