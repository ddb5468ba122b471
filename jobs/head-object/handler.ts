import { defineHandler } from "../handler.ts";
import { headObject } from "./contract.ts";

export const headObjectHandler = defineHandler(headObject, async ({ object }, { s3, signal }) => ({
  object: await s3.head(object, { signal }),
}));
