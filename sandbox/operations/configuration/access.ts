import { openBucket } from "../../auth/access.ts";
import { isPublicPolicy } from "../../auth/policy.ts";
import { parsePolicy } from "../../auth/policy-document.ts";
import type { Call } from "../../http/call.ts";
import { receiveDocument } from "../../http/receive-body.ts";
import { emptyReply, xmlReply, type Reply } from "../../http/reply.ts";
import { notConfigured, S3Error } from "../../http/s3-error.ts";
import { childText, element, malformed, parseXml, xmlDocument, type XmlElement } from "../../http/xml.ts";
import type { ObjectOwnership, PublicAccessBlock } from "../../storage/bucket-settings.ts";
import type { World } from "../../storage/world.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html */
export function getBucketPolicy(call: Call, world: World): Reply {
  const { policy } = openBucket(world, call).settings;
  if (policy === undefined) throw notConfigured("NoSuchBucketPolicy", "The bucket policy does not exist", call);
  return { status: 200, headers: ["Content-Type", "application/json"], body: policy.text };
}

export async function putBucketPolicy(call: Call, world: World): Promise<Reply> {
  openBucket(world, call);
  const text = (await receiveDocument(call)).toString("utf8");
  const bucket = openBucket(world, call);
  const policy = parsePolicy(text, bucket.name);
  if (bucket.settings.publicAccess?.blockPublicPolicy && isPublicPolicy(policy))
    throw new S3Error("AccessDenied", "Access Denied: public policies are blocked by the BlockPublicPolicy setting");
  bucket.settings.policy = policy;
  return emptyReply(204);
}

export function deleteBucketPolicy(call: Call, world: World): Reply {
  delete openBucket(world, call).settings.policy;
  return emptyReply(204);
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicyStatus.html */
export function getBucketPolicyStatus(call: Call, world: World): Reply {
  const { policy } = openBucket(world, call).settings;
  if (policy === undefined) throw notConfigured("NoSuchBucketPolicy", "The bucket policy does not exist", call);
  return xmlReply(xmlDocument("PolicyStatus", element("IsPublic", isPublicPolicy(policy))));
}

const BLOCKS = [
  ["BlockPublicAcls", "blockPublicAcls"],
  ["IgnorePublicAcls", "ignorePublicAcls"],
  ["BlockPublicPolicy", "blockPublicPolicy"],
  ["RestrictPublicBuckets", "restrictPublicBuckets"],
] as const;

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetPublicAccessBlock.html */
export function getPublicAccessBlock(call: Call, world: World): Reply {
  const block = openBucket(world, call).settings.publicAccess;
  if (block === undefined) {
    throw notConfigured(
      "NoSuchPublicAccessBlockConfiguration",
      "The public access block configuration was not found",
      call,
    );
  }
  return xmlReply(
    xmlDocument("PublicAccessBlockConfiguration", BLOCKS.map(([name, field]) => element(name, block[field])).join("")),
  );
}

export async function putPublicAccessBlock(call: Call, world: World): Promise<Reply> {
  openBucket(world, call);
  const document = parseXml(await receiveDocument(call), "PublicAccessBlockConfiguration");
  const is = (name: string) => childText(document, name)?.toLowerCase() === "true";
  const block: PublicAccessBlock = {
    blockPublicAcls: is("BlockPublicAcls"),
    ignorePublicAcls: is("IgnorePublicAcls"),
    blockPublicPolicy: is("BlockPublicPolicy"),
    restrictPublicBuckets: is("RestrictPublicBuckets"),
  };
  openBucket(world, call).settings.publicAccess = block;
  return emptyReply(200);
}

export function deletePublicAccessBlock(call: Call, world: World): Reply {
  delete openBucket(world, call).settings.publicAccess;
  return emptyReply(204);
}

const OWNERSHIPS: readonly ObjectOwnership[] = ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"];

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketOwnershipControls.html */
export function getBucketOwnershipControls(call: Call, world: World): Reply {
  const { ownership } = openBucket(world, call).settings;
  if (ownership === undefined)
    throw notConfigured("OwnershipControlsNotFoundError", "The bucket ownership controls were not found", call);
  return xmlReply(xmlDocument("OwnershipControls", `<Rule>${element("ObjectOwnership", ownership)}</Rule>`));
}

export async function putBucketOwnershipControls(call: Call, world: World): Promise<Reply> {
  openBucket(world, call);
  const rules = parseXml(await receiveDocument(call), "OwnershipControls").children.get("Rule") ?? [];
  const ownership = rules.length === 1 ? readOwnership(rules[0]!) : undefined;
  if (ownership === undefined) throw malformed();
  const { settings } = openBucket(world, call);
  const opened = settings.acl?.grants.some(
    ({ grantee }) => !("account" in grantee) || grantee.account !== settings.acl?.owner,
  );
  if (ownership === "BucketOwnerEnforced" && opened) {
    throw new S3Error(
      "InvalidBucketAclWithObjectOwnership",
      "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
    );
  }
  settings.ownership = ownership;
  return emptyReply(200);
}

function readOwnership(rule: XmlElement): ObjectOwnership | undefined {
  const asked = childText(rule, "ObjectOwnership");
  return OWNERSHIPS.find((one) => one === asked);
}

/** What is left then is what buckets had before there were controls: the writer owns. */
export function deleteBucketOwnershipControls(call: Call, world: World): Reply {
  delete openBucket(world, call).settings.ownership;
  return emptyReply(204);
}
