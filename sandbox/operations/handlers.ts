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
import {
  deleteBucketOwnershipControls,
  deleteBucketPolicy,
  deletePublicAccessBlock,
  getBucketOwnershipControls,
  getBucketPolicy,
  getBucketPolicyStatus,
  getPublicAccessBlock,
  putBucketOwnershipControls,
  putBucketPolicy,
  putPublicAccessBlock,
} from "./configuration/access.ts";
import { deleteBucketCors, getBucketCors, preflight, putBucketCors } from "./configuration/cors.ts";
import {
  deleteBucketEncryption,
  deleteBucketTagging,
  getBucketEncryption,
  getBucketTagging,
  putBucketEncryption,
  putBucketTagging,
} from "./configuration/properties.ts";
import { getObjectLockConfiguration, putObjectLockConfiguration } from "./lock/configuration.ts";
import { getObjectLegalHold, getObjectRetention, putObjectLegalHold, putObjectRetention } from "./lock/retention.ts";
import { postObject } from "./objects/post.ts";
import { restoreObject } from "./objects/restore.ts";
import { getBucketAcl, getObjectAcl, putBucketAcl, putObjectAcl } from "./permissions/acl.ts";
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
  GetBucketAcl: getBucketAcl,
  PutBucketAcl: putBucketAcl,
  GetBucketCors: getBucketCors,
  PutBucketCors: putBucketCors,
  DeleteBucketCors: deleteBucketCors,
  GetBucketPolicy: getBucketPolicy,
  PutBucketPolicy: putBucketPolicy,
  DeleteBucketPolicy: deleteBucketPolicy,
  GetBucketPolicyStatus: getBucketPolicyStatus,
  GetPublicAccessBlock: getPublicAccessBlock,
  PutPublicAccessBlock: putPublicAccessBlock,
  DeletePublicAccessBlock: deletePublicAccessBlock,
  GetBucketOwnershipControls: getBucketOwnershipControls,
  PutBucketOwnershipControls: putBucketOwnershipControls,
  DeleteBucketOwnershipControls: deleteBucketOwnershipControls,
  GetBucketTagging: getBucketTagging,
  PutBucketTagging: putBucketTagging,
  DeleteBucketTagging: deleteBucketTagging,
  GetBucketEncryption: getBucketEncryption,
  PutBucketEncryption: putBucketEncryption,
  DeleteBucketEncryption: deleteBucketEncryption,
  GetObjectLockConfiguration: getObjectLockConfiguration,
  PutObjectLockConfiguration: putObjectLockConfiguration,
  ListObjects: listObjects,
  ListObjectsV2: listObjectsV2,
  ListObjectVersions: listObjectVersions,
  ListMultipartUploads: listMultipartUploads,
  ListParts: listParts,
  GetObject: getObject,
  HeadObject: headObject,
  PutObject: putObject,
  PostObject: postObject,
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
  GetObjectAcl: getObjectAcl,
  PutObjectAcl: putObjectAcl,
  GetObjectRetention: getObjectRetention,
  PutObjectRetention: putObjectRetention,
  GetObjectLegalHold: getObjectLegalHold,
  PutObjectLegalHold: putObjectLegalHold,
  RestoreObject: restoreObject,
  GetObjectAttributes: getObjectAttributes,
  Preflight: preflight,
  Sts: sts,
};
