import type { ActivityName } from "./contracts.ts";
import type { Handler } from "./handler.ts";
import { copyObjectHandler } from "./copy-object/handler.ts";
import { createBucketHandler } from "./create-bucket/handler.ts";
import { deleteBucketHandler } from "./delete-bucket/handler.ts";
import { deleteObjectHandler } from "./delete-object/handler.ts";
import { getObjectHandler } from "./get-object/handler.ts";
import { headBucketHandler } from "./head-bucket/handler.ts";
import { headObjectHandler } from "./head-object/handler.ts";
import { listBucketsHandler } from "./list-buckets/handler.ts";
import { listObjectsHandler } from "./list-objects/handler.ts";
import { listPrefixesHandler } from "./list-prefixes/handler.ts";
import { moveObjectHandler } from "./move-object/handler.ts";
import { presignObjectHandler } from "./presign-object/handler.ts";
import { putObjectHandler } from "./put-object/handler.ts";
import { validateCredentialsHandler } from "./validate-credentials/handler.ts";

/** Every handler by its activity's name. run-job parses the input with the same contract before it calls one. */
export const handlers = {
  "list-buckets": listBucketsHandler,
  "list-prefixes": listPrefixesHandler,
  "list-objects": listObjectsHandler,
  "get-object": getObjectHandler,
  "put-object": putObjectHandler,
  "delete-object": deleteObjectHandler,
  "copy-object": copyObjectHandler,
  "move-object": moveObjectHandler,
  "head-object": headObjectHandler,
  "head-bucket": headBucketHandler,
  "create-bucket": createBucketHandler,
  "delete-bucket": deleteBucketHandler,
  "presign-object": presignObjectHandler,
  "validate-credentials": validateCredentialsHandler,
} as unknown as Readonly<Record<ActivityName, Handler>>; // each handler's input is what its own contract parsed
