import type { IncomingHttpHeaders } from "node:http";
import { S3Error } from "./s3-error.ts";

/** Every operation the sandbox speaks, named as the SDK names its commands; `Sts` stands for the security token service. */
export const OPERATIONS = [
  "ListBuckets",
  "CreateBucket",
  "DeleteBucket",
  "HeadBucket",
  "GetBucketLocation",
  "GetBucketVersioning",
  "PutBucketVersioning",
  "GetBucketAcl",
  "PutBucketAcl",
  "GetBucketCors",
  "PutBucketCors",
  "DeleteBucketCors",
  "GetBucketPolicy",
  "PutBucketPolicy",
  "DeleteBucketPolicy",
  "GetBucketPolicyStatus",
  "GetPublicAccessBlock",
  "PutPublicAccessBlock",
  "DeletePublicAccessBlock",
  "GetBucketOwnershipControls",
  "PutBucketOwnershipControls",
  "DeleteBucketOwnershipControls",
  "GetBucketTagging",
  "PutBucketTagging",
  "DeleteBucketTagging",
  "GetBucketEncryption",
  "PutBucketEncryption",
  "DeleteBucketEncryption",
  "GetObjectLockConfiguration",
  "PutObjectLockConfiguration",
  "ListObjects",
  "ListObjectsV2",
  "ListObjectVersions",
  "ListMultipartUploads",
  "ListParts",
  "GetObject",
  "HeadObject",
  "PutObject",
  "PostObject",
  "CopyObject",
  "DeleteObject",
  "DeleteObjects",
  "CreateMultipartUpload",
  "UploadPart",
  "UploadPartCopy",
  "CompleteMultipartUpload",
  "AbortMultipartUpload",
  "GetObjectTagging",
  "PutObjectTagging",
  "DeleteObjectTagging",
  "GetObjectAcl",
  "PutObjectAcl",
  "GetObjectRetention",
  "PutObjectRetention",
  "GetObjectLegalHold",
  "PutObjectLegalHold",
  "RestoreObject",
  "GetObjectAttributes",
  "Preflight",
  "Sts",
] as const;

export type Operation = (typeof OPERATIONS)[number];

type Route = {
  method: string;
  bucket: string;
  key: string;
  query: ReadonlyMap<string, string>;
  headers: IncomingHttpHeaders;
};

/** What a subresource (a name in the query) means for each method. */
type Subresources = ReadonlyMap<string, Readonly<Record<string, Operation>>>;

const OF_BUCKETS: Subresources = new Map([
  ["versioning", { GET: "GetBucketVersioning", PUT: "PutBucketVersioning" }],
  ["location", { GET: "GetBucketLocation" }],
  ["acl", { GET: "GetBucketAcl", PUT: "PutBucketAcl" }],
  ["cors", { GET: "GetBucketCors", PUT: "PutBucketCors", DELETE: "DeleteBucketCors" }],
  ["policy", { GET: "GetBucketPolicy", PUT: "PutBucketPolicy", DELETE: "DeleteBucketPolicy" }],
  ["policyStatus", { GET: "GetBucketPolicyStatus" }],
  [
    "publicAccessBlock",
    { GET: "GetPublicAccessBlock", PUT: "PutPublicAccessBlock", DELETE: "DeletePublicAccessBlock" },
  ],
  [
    "ownershipControls",
    {
      GET: "GetBucketOwnershipControls",
      PUT: "PutBucketOwnershipControls",
      DELETE: "DeleteBucketOwnershipControls",
    },
  ],
  ["tagging", { GET: "GetBucketTagging", PUT: "PutBucketTagging", DELETE: "DeleteBucketTagging" }],
  ["encryption", { GET: "GetBucketEncryption", PUT: "PutBucketEncryption", DELETE: "DeleteBucketEncryption" }],
  ["object-lock", { GET: "GetObjectLockConfiguration", PUT: "PutObjectLockConfiguration" }],
  ["versions", { GET: "ListObjectVersions" }],
  ["uploads", { GET: "ListMultipartUploads" }],
  ["delete", { POST: "DeleteObjects" }],
]);

const OF_OBJECTS: Subresources = new Map([
  ["tagging", { GET: "GetObjectTagging", PUT: "PutObjectTagging", DELETE: "DeleteObjectTagging" }],
  ["acl", { GET: "GetObjectAcl", PUT: "PutObjectAcl" }],
  ["retention", { GET: "GetObjectRetention", PUT: "PutObjectRetention" }],
  ["legal-hold", { GET: "GetObjectLegalHold", PUT: "PutObjectLegalHold" }],
  ["restore", { POST: "RestoreObject" }],
  ["attributes", { GET: "GetObjectAttributes" }],
  ["uploads", { POST: "CreateMultipartUpload" }],
]);

// Subresources of S3 that the sandbox does not have: answering them as if they were absent would be a lie.
const UNKNOWN = new Set(
  "abac accelerate analytics append intelligent-tiering inventory lifecycle logging metadataConfiguration metadataTable metrics notification renameObject replication requestPayment select session torrent website".split(
    " ",
  ),
);

/** Which operation a request means. */
export function routeOperation(route: Route): Operation {
  const found = route.method === "OPTIONS" ? "Preflight" : findOperation(route);
  if (found === undefined) {
    throw new S3Error("MethodNotAllowed", "The specified method is not allowed against this resource.", {
      elements: { Method: route.method, ResourceType: route.key === "" ? "BUCKET" : "OBJECT" },
    });
  }
  return found;
}

function findOperation(route: Route): Operation | undefined {
  if (route.bucket === "") return serviceOperation(route);
  const isBucket = route.key === "";
  if (route.query.size > 0) {
    const known = isBucket ? OF_BUCKETS : OF_OBJECTS;
    for (const name of route.query.keys()) {
      const methods = known.get(name);
      if (methods !== undefined) return methods[route.method];
      if (UNKNOWN.has(name) || (isBucket ? OF_OBJECTS : OF_BUCKETS).has(name)) refuseUnknown(name, route);
    }
  }
  return isBucket ? bucketOperation(route) : objectOperation(route);
}

function serviceOperation({ method }: Route): Operation | undefined {
  if (method === "GET") return "ListBuckets";
  return method === "POST" ? "Sts" : undefined;
}

function bucketOperation({ method, query }: Route): Operation | undefined {
  switch (method) {
    case "GET":
      return query.get("list-type") === "2" ? "ListObjectsV2" : "ListObjects";
    case "PUT":
      return "CreateBucket";
    case "HEAD":
      return "HeadBucket";
    case "DELETE":
      return "DeleteBucket";
    case "POST":
      return "PostObject";
    default:
      return undefined;
  }
}

function objectOperation({ method, query, headers }: Route): Operation | undefined {
  switch (method) {
    case "GET":
      return query.has("uploadId") ? "ListParts" : "GetObject";
    case "HEAD":
      return "HeadObject";
    case "PUT": {
      const copies = headers["x-amz-copy-source"] !== undefined;
      if (query.has("uploadId")) return copies ? "UploadPartCopy" : "UploadPart";
      return copies ? "CopyObject" : "PutObject";
    }
    case "DELETE":
      return query.has("uploadId") ? "AbortMultipartUpload" : "DeleteObject";
    case "POST":
      return query.has("uploadId") ? "CompleteMultipartUpload" : undefined;
    default:
      return undefined;
  }
}

function refuseUnknown(name: string, { method, key }: Route): never {
  throw new S3Error(
    "NotImplemented",
    `The sandbox has no ${name} of ${key === "" ? "buckets" : "objects"} (${method})`,
    {
      elements: { Header: name },
    },
  );
}
