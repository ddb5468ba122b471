import type { Call } from "../call.ts";
import type { Operation } from "../operation.ts";
import type { Reply } from "../reply.ts";
import { S3Error } from "../s3-error.ts";
import type { World } from "../world.ts";
import {
  createBucket,
  deleteBucket,
  getBucketLocation,
  getBucketVersioning,
  headBucket,
  listBuckets,
  putBucketVersioning,
} from "./buckets.ts";
import { copyObject } from "./copy-object.ts";
import { deleteObject, deleteObjects } from "./delete-object.ts";
import { getObject, headObject } from "./get-object.ts";
import { listObjects, listObjectsV2 } from "./list-objects.ts";
import { putObject } from "./put-object.ts";

export type OperationHandler = (call: Call, world: World) => Reply | Promise<Reply>;

const missing: OperationHandler = (call) => {
  throw new S3Error("NotImplemented", `${call.operation} is not there yet`);
};

/** What each operation does. */
export const operations: Record<Operation, OperationHandler> = {
  ListBuckets: listBuckets,
  CreateBucket: createBucket,
  DeleteBucket: deleteBucket,
  HeadBucket: headBucket,
  GetBucketLocation: getBucketLocation,
  GetBucketVersioning: getBucketVersioning,
  PutBucketVersioning: putBucketVersioning,
  ListObjects: listObjects,
  ListObjectsV2: listObjectsV2,
  ListObjectVersions: missing,
  ListMultipartUploads: missing,
  ListParts: missing,
  GetObject: getObject,
  HeadObject: headObject,
  PutObject: putObject,
  CopyObject: copyObject,
  DeleteObject: deleteObject,
  DeleteObjects: deleteObjects,
  CreateMultipartUpload: missing,
  UploadPart: missing,
  UploadPartCopy: missing,
  CompleteMultipartUpload: missing,
  AbortMultipartUpload: missing,
  GetObjectTagging: missing,
  PutObjectTagging: missing,
  DeleteObjectTagging: missing,
  GetObjectAttributes: missing,
  Sts: missing,
};
