import type { Operation } from "../http/operation.ts";
import type { Permission } from "../storage/acl.ts";

/** What an operation needs: the action that policies name, and the permission that ACLs grant, on the bucket or the object. */
export type Need = { action: string; on: "bucket" | "object"; permission?: Permission };

const readsObject = (action: string): Need => ({ action, on: "object", permission: "READ" });
const lists = (action: string): Need => ({ action, on: "bucket", permission: "READ" });
const writes = (action: string): Need => ({ action, on: "bucket", permission: "WRITE" });
/** Only the owner may, and whom a policy allows it. */
const configures = (action: string): Need => ({ action, on: "bucket" });
const ownsObject = (action: string): Need => ({ action, on: "object" });

/**
 * Operations of the service itself are not in it: they concern no bucket that exists.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
 */
export const NEEDS: Partial<Record<Operation, Need>> = {
  DeleteBucket: configures("s3:DeleteBucket"),
  HeadBucket: lists("s3:ListBucket"),
  GetBucketLocation: configures("s3:GetBucketLocation"),
  GetBucketVersioning: configures("s3:GetBucketVersioning"),
  PutBucketVersioning: configures("s3:PutBucketVersioning"),
  GetBucketAcl: { action: "s3:GetBucketAcl", on: "bucket", permission: "READ_ACP" },
  PutBucketAcl: { action: "s3:PutBucketAcl", on: "bucket", permission: "WRITE_ACP" },
  GetBucketCors: configures("s3:GetBucketCORS"),
  PutBucketCors: configures("s3:PutBucketCORS"),
  DeleteBucketCors: configures("s3:PutBucketCORS"),
  GetBucketPolicy: configures("s3:GetBucketPolicy"),
  PutBucketPolicy: configures("s3:PutBucketPolicy"),
  DeleteBucketPolicy: configures("s3:DeleteBucketPolicy"),
  GetBucketPolicyStatus: configures("s3:GetBucketPolicyStatus"),
  GetPublicAccessBlock: configures("s3:GetBucketPublicAccessBlock"),
  PutPublicAccessBlock: configures("s3:PutBucketPublicAccessBlock"),
  DeletePublicAccessBlock: configures("s3:PutBucketPublicAccessBlock"),
  GetBucketOwnershipControls: configures("s3:GetBucketOwnershipControls"),
  PutBucketOwnershipControls: configures("s3:PutBucketOwnershipControls"),
  DeleteBucketOwnershipControls: configures("s3:PutBucketOwnershipControls"),
  GetBucketTagging: configures("s3:GetBucketTagging"),
  PutBucketTagging: configures("s3:PutBucketTagging"),
  DeleteBucketTagging: configures("s3:PutBucketTagging"),
  GetBucketEncryption: configures("s3:GetEncryptionConfiguration"),
  PutBucketEncryption: configures("s3:PutEncryptionConfiguration"),
  DeleteBucketEncryption: configures("s3:PutEncryptionConfiguration"),
  GetObjectLockConfiguration: configures("s3:GetBucketObjectLockConfiguration"),
  PutObjectLockConfiguration: configures("s3:PutBucketObjectLockConfiguration"),
  ListObjects: lists("s3:ListBucket"),
  ListObjectsV2: lists("s3:ListBucket"),
  ListObjectVersions: lists("s3:ListBucketVersions"),
  ListMultipartUploads: lists("s3:ListBucketMultipartUploads"),
  ListParts: writes("s3:ListMultipartUploadParts"),
  GetObject: readsObject("s3:GetObject"),
  HeadObject: readsObject("s3:GetObject"),
  GetObjectAttributes: readsObject("s3:GetObjectAttributes"),
  GetObjectAcl: { action: "s3:GetObjectAcl", on: "object", permission: "READ_ACP" },
  PutObjectAcl: { action: "s3:PutObjectAcl", on: "object", permission: "WRITE_ACP" },
  GetObjectTagging: ownsObject("s3:GetObjectTagging"),
  PutObjectTagging: ownsObject("s3:PutObjectTagging"),
  DeleteObjectTagging: ownsObject("s3:DeleteObjectTagging"),
  GetObjectRetention: ownsObject("s3:GetObjectRetention"),
  PutObjectRetention: ownsObject("s3:PutObjectRetention"),
  GetObjectLegalHold: ownsObject("s3:GetObjectLegalHold"),
  PutObjectLegalHold: ownsObject("s3:PutObjectLegalHold"),
  RestoreObject: ownsObject("s3:RestoreObject"),
  PutObject: writes("s3:PutObject"),
  PostObject: writes("s3:PutObject"),
  CopyObject: writes("s3:PutObject"),
  DeleteObject: writes("s3:DeleteObject"),
  DeleteObjects: writes("s3:DeleteObject"),
  CreateMultipartUpload: writes("s3:PutObject"),
  UploadPart: writes("s3:PutObject"),
  UploadPartCopy: writes("s3:PutObject"),
  CompleteMultipartUpload: writes("s3:PutObject"),
  AbortMultipartUpload: writes("s3:AbortMultipartUpload"),
};
