import { defineHandler } from "../handler.ts";
import { presignObject } from "./contract.ts";

export const presignObjectHandler = defineHandler(presignObject, ({ object, method, expiresIn }, { s3, signal }) =>
  s3.presign({ object, method, expiresIn }, { signal }),
);
