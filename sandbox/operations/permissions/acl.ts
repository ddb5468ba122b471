import { bucketAcl, objectAcl, openBucket } from "../../auth/access.ts";
import type { Call } from "../../http/call.ts";
import { receiveDocument } from "../../http/receive-body.ts";
import { emptyReply, xmlReply, type Reply } from "../../http/reply.ts";
import { S3Error } from "../../http/s3-error.ts";
import { childText, element, malformed, parseXml, xmlDocument, type XmlElement } from "../../http/xml.ts";
import { PERMISSIONS, type Acl, type Grant, type Grantee } from "../../storage/acl.ts";
import type { Bucket } from "../../storage/bucket.ts";
import type { World } from "../../storage/world.ts";
import { openObject } from "../objects/source.ts";
import { aclFromHeaders, aclsDisabled, checkNotPublic, knownAccount } from "./acl-headers.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html */
export function getBucketAcl(call: Call, world: World): Reply {
  return aclReply(bucketAcl(openBucket(world, call)), world);
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAcl.html */
export async function putBucketAcl(call: Call, world: World): Promise<Reply> {
  openBucket(world, call);
  const document = await receiveDocument(call);
  const bucket = openBucket(world, call);
  bucket.settings.acl = requestedAcl(call, document, { world, bucket, owner: bucketAcl(bucket).owner });
  return emptyReply(200);
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html */
export function getObjectAcl(call: Call, world: World): Reply {
  const { object, bucket } = openObject(call, world);
  return aclReply(objectAcl(bucket, object), world, versionHeaders(object.versionId));
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAcl.html */
export async function putObjectAcl(call: Call, world: World): Promise<Reply> {
  openObject(call, world);
  const document = await receiveDocument(call);
  const { object, bucket } = openObject(call, world);
  const acl = requestedAcl(call, document, { world, bucket, owner: objectAcl(bucket, object).owner });
  bucket.update(object, { acl });
  return emptyReply(200, versionHeaders(object.versionId));
}

function versionHeaders(versionId: string | undefined): string[] {
  return versionId === undefined ? [] : ["x-amz-version-id", versionId];
}

type Target = { world: World; bucket: Bucket; owner: string };

/** Headers or a document, not both. */
function requestedAcl(call: Call, document: Buffer, target: Target): Acl {
  const named = aclFromHeaders(call, target);
  if (named !== undefined && document.length > 0) {
    throw new S3Error("UnexpectedContent", "This request does not support content");
  }
  if (named !== undefined) return named;
  if (target.bucket.settings.ownership === "BucketOwnerEnforced") throw aclsDisabled();
  if (document.length === 0) {
    throw new S3Error("MissingSecurityHeader", "Your request was missing a required header", {
      elements: { MissingHeaderName: "x-amz-acl" },
    });
  }
  const acl = readAcl(parseXml(document, "AccessControlPolicy"), target);
  checkNotPublic(target.bucket, acl);
  return acl;
}

function readAcl(document: XmlElement, target: Target): Acl {
  const owner = document.children.get("Owner")?.[0];
  const list = document.children.get("AccessControlList")?.[0];
  if (list === undefined || owner === undefined) throw malformed();
  if (childText(owner, "ID") !== target.owner) throw new S3Error("AccessDenied", "Access Denied");
  const grants = (list.children.get("Grant") ?? []).map((grant) => readGrant(grant, target.world));
  return { owner: target.owner, grants };
}

function readGrant(grant: XmlElement, world: World): Grant {
  const grantee = grant.children.get("Grantee")?.[0];
  const permission = PERMISSIONS.find((one) => one === childText(grant, "Permission"));
  if (grantee === undefined || permission === undefined) throw malformed();
  const [id, uri, email] = ["ID", "URI", "EmailAddress"].map((name) => childText(grantee, name));
  if (uri !== undefined) return { grantee: knownAccount(world, "uri", uri), permission };
  if (email !== undefined) return { grantee: knownAccount(world, "emailAddress", email), permission };
  if (id === undefined) throw malformed();
  return { grantee: knownAccount(world, "id", id), permission };
}

function aclReply(acl: Acl, world: World, headers: string[] = []): Reply {
  const grants = acl.grants.map(
    ({ grantee, permission }) => `<Grant>${granteeElement(grantee, world)}${element("Permission", permission)}</Grant>`,
  );
  return xmlReply(
    xmlDocument(
      "AccessControlPolicy",
      `<Owner>${accountElements(acl.owner, world)}</Owner><AccessControlList>${grants.join("")}</AccessControlList>`,
    ),
    headers,
  );
}

function granteeElement(grantee: Grantee, world: World): string {
  const group = "group" in grantee;
  const content = group ? element("URI", groupUri(grantee.group)) : accountElements(grantee.account, world);
  return `<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="${group ? "Group" : "CanonicalUser"}">${content}</Grantee>`;
}

function groupUri(group: string): string {
  return `http://acs.amazonaws.com/groups/${group === "LogDelivery" ? "s3" : "global"}/${group}`;
}

/** An account as owners are written: its id, and its name where it has one. */
export function accountElements(account: string, world: World): string {
  return element("ID", account) + element("DisplayName", world.displayNames.get(account));
}
