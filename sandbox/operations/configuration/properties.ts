import { openBucket } from "../../auth/access.ts";
import type { Call } from "../../http/call.ts";
import { tagsFromXml } from "../../http/object-facts.ts";
import { receiveDocument } from "../../http/receive-body.ts";
import { emptyReply, xmlReply, type Reply } from "../../http/reply.ts";
import { notConfigured, S3Error } from "../../http/s3-error.ts";
import { childText, element, malformed, parseXml, xmlDocument, type XmlElement } from "../../http/xml.ts";
import type { Encryption } from "../../storage/stored-object.ts";
import type { World } from "../../storage/world.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html */
export function getBucketTagging(call: Call, world: World): Reply {
  const { tags = [] } = openBucket(world, call).settings;
  if (tags.length === 0) throw notConfigured("NoSuchTagSet", "The TagSet does not exist", call);
  const set = tags.map((tag) => `<Tag>${element("Key", tag.key)}${element("Value", tag.value)}</Tag>`);
  return xmlReply(xmlDocument("Tagging", `<TagSet>${set.join("")}</TagSet>`));
}

export async function putBucketTagging(call: Call, world: World): Promise<Reply> {
  openBucket(world, call);
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/CostAllocTagging.html: up to 50 tags
  const tags = tagsFromXml(await receiveDocument(call), 50);
  openBucket(world, call).settings.tags = tags;
  return emptyReply(204);
}

export function deleteBucketTagging(call: Call, world: World): Reply {
  delete openBucket(world, call).settings.tags;
  return emptyReply(204);
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html: SSE-S3 where nothing was set */
export function getBucketEncryption(call: Call, world: World): Reply {
  const { encryption = { algorithm: "AES256" } } = openBucket(world, call).settings;
  const rule =
    `<ApplyServerSideEncryptionByDefault>${element("SSEAlgorithm", encryption.algorithm)}${element("KMSMasterKeyID", encryption.kmsKeyId)}</ApplyServerSideEncryptionByDefault>` +
    element("BucketKeyEnabled", encryption.bucketKey ?? false);
  return xmlReply(xmlDocument("ServerSideEncryptionConfiguration", `<Rule>${rule}</Rule>`));
}

export async function putBucketEncryption(call: Call, world: World): Promise<Reply> {
  openBucket(world, call);
  const rule = parseXml(await receiveDocument(call), "ServerSideEncryptionConfiguration").children.get("Rule")?.[0];
  if (rule === undefined) throw malformed();
  const encryption = readDefault(rule);
  openBucket(world, call).settings.encryption = encryption;
  return emptyReply(200);
}

function readDefault(rule: XmlElement): Encryption {
  const given = rule.children.get("ApplyServerSideEncryptionByDefault")?.[0];
  const algorithm = given && childText(given, "SSEAlgorithm");
  const key = given && childText(given, "KMSMasterKeyID");
  if (algorithm === "AES256") {
    if (key !== undefined)
      throw new S3Error(
        "InvalidArgument",
        "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
      );
    return { algorithm };
  }
  if (algorithm !== "aws:kms" && algorithm !== "aws:kms:dsse") throw malformed();
  const encryption: Encryption = { algorithm, kmsKeyId: key ?? "arn:aws:kms:us-east-1:000000000000:key/aws-s3" };
  if (childText(rule, "BucketKeyEnabled") === "true") encryption.bucketKey = true;
  return encryption;
}

export function deleteBucketEncryption(call: Call, world: World): Reply {
  delete openBucket(world, call).settings.encryption;
  return emptyReply(204);
}
