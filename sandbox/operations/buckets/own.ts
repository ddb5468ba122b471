import { header, type Call } from "../../http/call.ts";
import { emptyReply, xmlReply, type Reply } from "../../http/reply.ts";
import { receiveDocument } from "../../http/receive-body.ts";
import { S3Error } from "../../http/s3-error.ts";
import { accessDenied, openBucket } from "../../auth/access.ts";
import { addBucket, type World } from "../../storage/world.ts";
import { childText, element, malformed, parseXml, xmlDocument } from "../../http/xml.ts";
import type { Bucket } from "../../storage/bucket.ts";
import type { BucketSettings, ObjectOwnership } from "../../storage/bucket-settings.ts";
import { aclFromHeaders } from "../permissions/acl-headers.ts";
import { readToken, writeToken } from "../listings/token.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html */
export function listBuckets(call: Call, world: World): Reply {
  if (call.account === "") throw accessDenied();
  const { query } = call;
  const prefix = query.get("prefix");
  const max = Number(query.get("max-buckets") ?? 10_000);
  if (!(max >= 1 && max <= 10_000))
    throw new S3Error("InvalidArgument", "Argument max-buckets must be an integer between 1 and 10000");
  const after = query.has("continuation-token") ? readToken(query.get("continuation-token")!).key : "";
  const region = query.get("bucket-region");
  const owned = [...world.buckets.values()]
    .filter((bucket) => bucket.account === call.account && bucket.name > after && bucket.name.startsWith(prefix ?? ""))
    .filter((bucket) => region === undefined || bucket.region === region)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const page = owned.slice(0, max);
  // AWS names the region only when the request has one of the paging parameters.
  const paged = ["prefix", "max-buckets", "continuation-token", "bucket-region"].some((name) => query.has(name));
  const buckets = page.map(
    (bucket) =>
      `<Bucket>${element("Name", bucket.name)}${element("CreationDate", new Date(bucket.created).toISOString())}${
        paged ? element("BucketRegion", bucket.region) : ""
      }</Bucket>`,
  );
  const next = owned.length > page.length ? writeToken({ key: page.at(-1)!.name }) : undefined;
  return xmlReply(
    xmlDocument(
      "ListAllMyBucketsResult",
      `<Owner>${element("ID", call.account)}</Owner><Buckets>${buckets.join("")}</Buckets>${element("ContinuationToken", next)}${element("Prefix", prefix)}`,
    ),
  );
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html */
export async function createBucket(call: Call, world: World): Promise<Reply> {
  if (call.account === "") throw accessDenied();
  checkName(call.bucket);
  const region = requestedRegion(call, await receiveDocument(call), world);
  const existing = world.buckets.get(call.bucket);
  if (existing !== undefined) {
    if (existing.account !== call.account) {
      throw new S3Error(
        "BucketAlreadyExists",
        "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
        { elements: { BucketName: call.bucket } },
      );
    }
    // In us-east-1 creating one's own bucket again succeeds, for compatibility with S3's early days.
    if (existing.region !== "us-east-1" || region !== "us-east-1") {
      throw new S3Error(
        "BucketAlreadyOwnedByYou",
        "Your previous request to create the named bucket succeeded and you already own it.",
        { elements: { BucketName: call.bucket } },
      );
    }
  } else {
    const settings = requestedSettings(call, world);
    const versioning = settings.lock === undefined ? undefined : "Enabled";
    const bucket = addBucket(world, { name: call.bucket, region, account: call.account, settings, versioning });
    applyAcl(call, world, bucket);
  }
  return emptyReply(200, ["Location", `/${call.bucket}`]);
}

const OWNERSHIPS: readonly ObjectOwnership[] = ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"];

function requestedSettings(call: Call, world: World): BucketSettings {
  const settings: BucketSettings = {};
  if (header(call, "x-amz-bucket-object-lock-enabled")?.toLowerCase() === "true") settings.lock = {};
  const asked = header(call, "x-amz-object-ownership");
  const ownership = OWNERSHIPS.find((one) => one === asked);
  if (asked !== undefined && ownership === undefined)
    throw new S3Error("InvalidArgument", "Invalid x-amz-object-ownership header", {
      elements: { ArgumentName: "x-amz-object-ownership", ArgumentValue: asked },
    });
  if (ownership !== undefined) settings.ownership = ownership;
  const acl = header(call, "x-amz-acl");
  if (acl !== undefined && acl !== "private" && (ownership ?? world.newBuckets.ownership) === "BucketOwnerEnforced")
    throw new S3Error(
      "InvalidBucketAclWithObjectOwnership",
      "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
    );
  return settings;
}

/** A refused list leaves no bucket behind. */
function applyAcl(call: Call, world: World, bucket: Bucket): void {
  if (bucket.settings.ownership === "BucketOwnerEnforced") return;
  try {
    const acl = aclFromHeaders(call, { world, bucket, owner: bucket.account });
    if (acl !== undefined) bucket.settings.acl = acl;
  } catch (error) {
    world.buckets.delete(bucket.name);
    throw error;
  }
}

function requestedRegion(call: Call, document: Buffer, world: World): string {
  const endpointRegion = call.region === "" ? world.region : call.region;
  const constraint =
    document.length === 0
      ? undefined
      : childText(parseXml(document, "CreateBucketConfiguration"), "LocationConstraint");
  if (endpointRegion === "us-east-1") {
    if (constraint === "us-east-1")
      throw new S3Error("InvalidLocationConstraint", "The specified location-constraint is not valid", {
        elements: { LocationConstraint: constraint },
      });
    return constraint === undefined || constraint === "" ? "us-east-1" : constraint === "EU" ? "eu-west-1" : constraint;
  }
  if (constraint !== endpointRegion) {
    throw new S3Error(
      "IllegalLocationConstraintException",
      `The ${constraint ?? "unspecified"} location constraint is incompatible for the region specific endpoint this request was sent to.`,
    );
  }
  return constraint;
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
function checkName(name: string): void {
  const wellFormed = /^[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]$/.test(name);
  const reserved = /^(?:xn--|sthree-|amzn-s3-demo-)|(?:-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/.test(name);
  if (!wellFormed || reserved || name.includes("..") || /^\d+\.\d+\.\d+\.\d+$/.test(name)) {
    throw new S3Error("InvalidBucketName", "The specified bucket is not valid.", { elements: { BucketName: name } });
  }
}

export function deleteBucket(call: Call, world: World): Reply {
  const bucket = openBucket(world, call);
  if (!bucket.isEmpty) {
    throw new S3Error("BucketNotEmpty", "The bucket you tried to delete is not empty", {
      elements: { BucketName: bucket.name },
    });
  }
  world.buckets.delete(bucket.name);
  for (const upload of world.uploads.values()) if (upload.bucket === bucket.name) world.uploads.delete(upload.uploadId);
  return emptyReply(204);
}

export function headBucket(call: Call, world: World): Reply {
  const bucket = openBucket(world, call);
  return emptyReply(200, ["x-amz-bucket-region", bucket.region, "x-amz-access-point-alias", "false"]);
}

/** Answers from any region: it is how clients find out. */
export function getBucketLocation(call: Call, world: World): Reply {
  const bucket = openBucket(world, call, { anyRegion: true });
  const region = bucket.region === "us-east-1" ? "" : bucket.region;
  return xmlReply(
    `<?xml version="1.0" encoding="UTF-8"?>\n<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${region}</LocationConstraint>`,
  );
}

export function getBucketVersioning(call: Call, world: World): Reply {
  return xmlReply(xmlDocument("VersioningConfiguration", element("Status", openBucket(world, call).versioning)));
}

export async function putBucketVersioning(call: Call, world: World): Promise<Reply> {
  const bucket = openBucket(world, call);
  const status = childText(parseXml(await receiveDocument(call), "VersioningConfiguration"), "Status");
  if (status !== "Enabled" && status !== "Suspended") throw malformed();
  if (status === "Suspended" && bucket.settings.lock !== undefined) {
    throw new S3Error(
      "InvalidBucketState",
      "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
      { status: 409 },
    );
  }
  bucket.versioning = status;
  return emptyReply(200);
}
