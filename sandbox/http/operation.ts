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
  "ListObjects",
  "ListObjectsV2",
  "ListObjectVersions",
  "ListMultipartUploads",
  "ListParts",
  "GetObject",
  "HeadObject",
  "PutObject",
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
  "GetObjectAttributes",
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

// Subresources of S3 that the sandbox does not have: answering them as if they were absent would be a lie.
const UNKNOWN = new Set(
  "accelerate acl analytics cors encryption intelligent-tiering inventory legal-hold lifecycle logging metrics notification object-lock ownershipControls policy policyStatus publicAccessBlock replication requestPayment restore retention select session tagging torrent website renameObject".split(
    " ",
  ),
);

/** Which operation a request means. */
export function routeOperation(route: Route): Operation {
  const found =
    route.bucket === "" ? serviceOperation(route) : route.key === "" ? bucketOperation(route) : objectOperation(route);
  if (found === undefined) {
    throw new S3Error("MethodNotAllowed", "The specified method is not allowed against this resource.", {
      elements: { Method: route.method, ResourceType: route.key === "" ? "BUCKET" : "OBJECT" },
    });
  }
  return found;
}

function serviceOperation({ method }: Route): Operation | undefined {
  if (method === "GET") return "ListBuckets";
  return method === "POST" ? "Sts" : undefined;
}

function bucketOperation({ method, query }: Route): Operation | undefined {
  if (query.size > 0) refuseUnknown(query);
  switch (method) {
    case "GET":
      if (query.get("list-type") === "2") return "ListObjectsV2";
      if (query.has("location")) return "GetBucketLocation";
      if (query.has("versioning")) return "GetBucketVersioning";
      if (query.has("versions")) return "ListObjectVersions";
      return query.has("uploads") ? "ListMultipartUploads" : "ListObjects";
    case "PUT":
      return query.has("versioning") ? "PutBucketVersioning" : "CreateBucket";
    case "HEAD":
      return "HeadBucket";
    case "DELETE":
      return "DeleteBucket";
    case "POST":
      return query.has("delete") ? "DeleteObjects" : undefined;
    default:
      return undefined;
  }
}

function objectOperation({ method, query, headers }: Route): Operation | undefined {
  const tagging = query.size > 0 && query.has("tagging");
  if (query.size > 0 && !tagging) refuseUnknown(query);
  switch (method) {
    case "GET":
      if (tagging) return "GetObjectTagging";
      if (query.has("attributes")) return "GetObjectAttributes";
      return query.has("uploadId") ? "ListParts" : "GetObject";
    case "HEAD":
      return "HeadObject";
    case "PUT": {
      if (tagging) return "PutObjectTagging";
      const copies = headers["x-amz-copy-source"] !== undefined;
      if (query.has("uploadId")) return copies ? "UploadPartCopy" : "UploadPart";
      return copies ? "CopyObject" : "PutObject";
    }
    case "DELETE":
      if (tagging) return "DeleteObjectTagging";
      return query.has("uploadId") ? "AbortMultipartUpload" : "DeleteObject";
    case "POST":
      if (query.has("uploads")) return "CreateMultipartUpload";
      return query.has("uploadId") ? "CompleteMultipartUpload" : undefined;
    default:
      return undefined;
  }
}

function refuseUnknown(query: ReadonlyMap<string, string>): void {
  for (const name of query.keys()) {
    if (UNKNOWN.has(name)) {
      throw new S3Error("NotImplemented", "A header you provided implies functionality that is not implemented", {
        elements: { Header: name },
      });
    }
  }
}
