import type { Call } from "../http/call.ts";
import type { Operation } from "../http/operation.ts";
import type { Reply } from "../http/reply.ts";
import type { World } from "../storage/world.ts";
import {
  createBucket,
  deleteBucket,
  getBucketLocation,
  getBucketVersioning,
  headBucket,
  listBuckets,
  putBucketVersioning,
} from "./buckets/own.ts";
import { completeMultipartUpload } from "./uploads/complete.ts";
import { copyObject } from "./objects/copy.ts";
import { deleteObject, deleteObjects } from "./objects/delete.ts";
import { getObject, headObject } from "./objects/get.ts";
import { listObjects, listObjectsV2 } from "./listings/objects.ts";
import { listMultipartUploads, listParts } from "./listings/uploads.ts";
import { listObjectVersions } from "./listings/versions.ts";
import { abortMultipartUpload, createMultipartUpload, uploadPart, uploadPartCopy } from "./uploads/parts.ts";
import { getObjectAttributes } from "./objects/attributes.ts";
import { putObject } from "./objects/put.ts";
import { sts } from "./sts.ts";
import { deleteObjectTagging, getObjectTagging, putObjectTagging } from "./objects/tagging.ts";

export type OperationHandler = (call: Call, world: World) => Reply | Promise<Reply>;

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
  ListObjectVersions: listObjectVersions,
  ListMultipartUploads: listMultipartUploads,
  ListParts: listParts,
  GetObject: getObject,
  HeadObject: headObject,
  PutObject: putObject,
  CopyObject: copyObject,
  DeleteObject: deleteObject,
  DeleteObjects: deleteObjects,
  CreateMultipartUpload: createMultipartUpload,
  UploadPart: uploadPart,
  UploadPartCopy: uploadPartCopy,
  CompleteMultipartUpload: completeMultipartUpload,
  AbortMultipartUpload: abortMultipartUpload,
  GetObjectTagging: getObjectTagging,
  PutObjectTagging: putObjectTagging,
  DeleteObjectTagging: deleteObjectTagging,
  GetObjectAttributes: getObjectAttributes,
  Sts: sts,
};
