import { header, type Call } from "../http/call.ts";
import { S3Error } from "../http/s3-error.ts";
import { grants, privateAcl, type Acl } from "../storage/acl.ts";
import type { Bucket } from "../storage/bucket.ts";
import type { StoredObject } from "../storage/stored-object.ts";
import type { World } from "../storage/world.ts";
import { NEEDS, type Need } from "./actions.ts";
import { isPublicPolicy, judge, type PolicyQuestion } from "./policy.ts";

/**
 * The bucket a call may work on.
 *
 * @throws S3Error NoSuchBucket, AccessDenied (not allowed, or not the expected owner's), PermanentRedirect (another region's)
 */
export function openBucket(world: World, call: Call, options: { anyRegion?: boolean } = {}): Bucket {
  const bucket = findBucket(world, call.bucket);
  checkExpectedOwner(bucket, header(call, "x-amz-expected-bucket-owner"));
  const need = NEEDS[call.operation];
  if (need !== undefined) authorize(call, bucket, need);
  checkPayer(bucket, call);
  if (call.region !== "" && call.region !== bucket.region && !options.anyRegion) throw wrongRegion(world, bucket, call);
  return bucket;
}

export function findBucket(world: World, name: string): Bucket {
  const bucket = world.buckets.get(name);
  if (bucket === undefined) {
    throw new S3Error("NoSuchBucket", "The specified bucket does not exist", { elements: { BucketName: name } });
  }
  return bucket;
}

/** Refuses a call that expects another owner of the bucket. */
export function checkExpectedOwner(bucket: Bucket, expected: string | undefined): void {
  if (expected !== undefined && expected !== bucket.account) throw accessDenied();
}

/** Others than the owner say that they pay, where the owner does not. https://docs.aws.amazon.com/AmazonS3/latest/userguide/ObjectsinRequesterPaysBuckets.html */
function checkPayer({ settings, account }: Bucket, call: Call): void {
  if (settings.requesterPays !== true || call.account === account) return;
  const said = header(call, "x-amz-request-payer") ?? call.query.get("x-amz-request-payer");
  if (said !== "requester") throw accessDenied();
}

export function accessDenied(): S3Error {
  return new S3Error("AccessDenied", "Access Denied");
}

/** Whether the caller may; the owner of everything asks for nothing. @throws S3Error AccessDenied */
function authorize(call: Call, bucket: Bucket, need: Need): void {
  const { policy } = bucket.settings;
  if (call.account === bucket.account && policy === undefined && !bucket.hasForeignObjects) return;
  const versionId = call.query.get("versionId");
  const object =
    need.on === "bucket" || versionId === undefined ? bucket.current(call.key) : bucket.version(call.key, versionId);
  const question = { call, action: versioned(need.action, versionId), key: call.key, object };
  // Only who may list learns that a key is missing.
  const isMissing = need.on === "object" && object === undefined;
  const allowed = isMissing
    ? may(bucket, NEEDS.ListObjectsV2!, { ...question, action: "s3:ListBucket", key: "", prefix: call.key })
    : may(bucket, need, question);
  if (!allowed) throw accessDenied();
}

/** Whether the caller may read this object as the source of a copy. @throws S3Error AccessDenied */
export function authorizeSource(
  call: Call,
  bucket: Bucket,
  source: { key: string; versionId: string | undefined },
): void {
  checkPayer(bucket, call);
  const { policy } = bucket.settings;
  if (call.account === bucket.account && policy === undefined && !bucket.hasForeignObjects) return;
  const { key, versionId } = source;
  const object = versionId === undefined ? bucket.current(key) : bucket.version(key, versionId);
  const action = versioned("s3:GetObject", versionId);
  const question = { call, key, object };
  if (!may(bucket, NEEDS.GetObject!, { ...question, action })) throw accessDenied();
  // Who copies tags along has to be allowed to read them. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
  if (call.operation !== "CopyObject" || header(call, "x-amz-tagging-directive") === "REPLACE") return;
  if ((object?.tags?.length ?? 0) > 0 && !mayReadTags(call, bucket, { key, versionId, object })) throw accessDenied();
}

/** Whether the caller may read an object's tags, and so learn how many there are. */
export function mayReadTags(
  call: Call,
  bucket: Bucket,
  { key, versionId, object }: { key: string; versionId?: string | undefined; object: StoredObject | undefined },
): boolean {
  if (call.account === bucket.account && bucket.settings.policy === undefined && !bucket.hasForeignObjects) return true;
  const action = versioned("s3:GetObjectTagging", versionId);
  return may(bucket, NEEDS.GetObjectTagging!, { call, action, key, object });
}

/** Whether the caller may do something beside the operation itself, such as bypass governance. */
export function mayAlso(call: Call, bucket: Bucket, action: string): boolean {
  return may(bucket, { action, on: "bucket" }, { call, action, key: call.key, object: undefined });
}

function may(bucket: Bucket, need: Need, question: PolicyQuestion): boolean {
  const { call, object } = question;
  const { policy, publicAccess } = bucket.settings;
  const isOwner = call.account === bucket.account;
  if (policy !== undefined) {
    const verdict = judge(policy, bucket, question);
    // The owner must be able to mend a policy that shuts everybody out.
    if (verdict === "Deny" && !(isOwner && need.action.endsWith("BucketPolicy"))) return false;
    const restricted = publicAccess?.restrictPublicBuckets && !isOwner && isPublicPolicy(policy);
    if (verdict === "Allow" && !restricted) return true;
  }
  if (bucket.sharedWith.includes(call.account)) return true;
  return grantedByAcl(bucket, need, call.account, object);
}

function grantedByAcl(bucket: Bucket, need: Need, account: string, object: StoredObject | undefined): boolean {
  const acl = need.on === "object" ? objectAcl(bucket, object) : bucketAcl(bucket);
  if (need.permission === undefined) return acl.owner === account;
  // Owners may always read and change the list itself.
  if (acl.owner === account && need.permission.endsWith("_ACP")) return true;
  const ignorePublic = bucket.settings.publicAccess?.ignorePublicAcls ?? false;
  return grants(acl, account, need.permission, { ignorePublic });
}

export function bucketAcl({ settings, account }: Bucket): Acl {
  return settings.ownership === "BucketOwnerEnforced" ? privateAcl(account) : (settings.acl ?? privateAcl(account));
}

export function objectAcl({ settings, account }: Bucket, object: StoredObject | undefined): Acl {
  return settings.ownership === "BucketOwnerEnforced" ? privateAcl(account) : (object?.acl ?? privateAcl(account));
}

function versioned(action: string, versionId: string | undefined): string {
  if (versionId === undefined || !/^s3:(?:Get|Put|Delete)Object(?:Acl|Tagging|Attributes)?$/.test(action))
    return action;
  return action.replace("Object", "ObjectVersion");
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html
function wrongRegion(world: World, bucket: Bucket, call: Call): S3Error {
  const headers = { "x-amz-bucket-region": bucket.region };
  if (world.wrongRegion === "malformed") {
    return new S3Error(
      "AuthorizationHeaderMalformed",
      `The authorization header is malformed; the region '${call.region}' is wrong; expecting '${bucket.region}'`,
      { elements: { Region: bucket.region }, headers },
    );
  }
  return new S3Error(
    "PermanentRedirect",
    "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
    { elements: { Endpoint: header(call, "host") ?? "", Bucket: bucket.name }, headers },
  );
}
