import { defineListHandler } from "../handler.ts";
import { listBuckets } from "./contract.ts";

export const listBucketsHandler = defineListHandler(listBuckets, ({ prefix }, { s3, signal }) =>
  s3.listBuckets({ prefix }, { signal }),
);
