import { header, type Call } from "../../http/call.ts";
import { accessDenied } from "../../auth/access.ts";
import { S3Error } from "../../http/s3-error.ts";
import {
  cannedAcl,
  isPublicAcl,
  privateAcl,
  type Acl,
  type Grant,
  type Grantee,
  type Permission,
} from "../../storage/acl.ts";
import type { Bucket } from "../../storage/bucket.ts";
import type { World } from "../../storage/world.ts";

const GRANT_HEADERS: readonly (readonly [string, Permission])[] = [
  ["x-amz-grant-read", "READ"],
  ["x-amz-grant-write", "WRITE"],
  ["x-amz-grant-read-acp", "READ_ACP"],
  ["x-amz-grant-write-acp", "WRITE_ACP"],
  ["x-amz-grant-full-control", "FULL_CONTROL"],
];

type Target = { world: World; bucket: Bucket; owner: string };

/**
 * The list that `x-amz-acl` and `x-amz-grant-*` ask for; undefined where they say nothing.
 *
 * @throws S3Error AccessControlListNotSupported, InvalidArgument, InvalidRequest, AccessDenied (public access is blocked)
 */
export function aclFromHeaders(call: Call, target: Target): Acl | undefined {
  const { bucket, owner } = target;
  const canned = header(call, "x-amz-acl");
  if (canned === undefined && !GRANT_HEADERS.some(([name]) => call.headers[name] !== undefined)) return undefined;
  const granted = GRANT_HEADERS.filter(([name]) => call.headers[name] !== undefined);
  if (canned !== undefined && granted.length > 0) {
    throw new S3Error("InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed");
  }
  const acl =
    canned === undefined
      ? { owner, grants: granted.flatMap(([name, permission]) => headerGrants(call, target, { name, permission })) }
      : cannedAcl(canned, owner, bucket.account);
  if (acl === undefined) {
    throw new S3Error("InvalidArgument", "", {
      elements: { ArgumentName: "x-amz-acl", ArgumentValue: canned ?? "" },
    });
  }
  if (bucket.settings.ownership === "BucketOwnerEnforced") {
    if (canned === "bucket-owner-full-control" && call.key !== "") return undefined;
    throw aclsDisabled();
  }
  checkNotPublic(bucket, acl);
  return acl;
}

export function aclsDisabled(): S3Error {
  return new S3Error("AccessControlListNotSupported", "The bucket does not allow ACLs");
}

/** The list of a new object: undefined where it belongs to the bucket's owner and nothing was said. */
export function newObjectAcl(call: Call, world: World, bucket: Bucket): Acl | undefined {
  const { ownership } = bucket.settings;
  const gives = header(call, "x-amz-acl") === "bucket-owner-full-control" && ownership === "BucketOwnerPreferred";
  const owner = gives || ownership === "BucketOwnerEnforced" ? bucket.account : call.account;
  const acl = aclFromHeaders(call, { world, bucket, owner });
  return acl ?? (owner === bucket.account ? undefined : privateAcl(owner));
}

function headerGrants(
  call: Call,
  { world }: Target,
  { name, permission }: { name: string; permission: Permission },
): Grant[] {
  return (header(call, name) ?? "").split(",").map((one) => {
    const match = /^\s*(id|uri|emailAddress)\s*=\s*"?([^"]*)"?\s*$/.exec(one);
    if (match === null) {
      throw new S3Error("InvalidArgument", "Argument format not recognized", {
        elements: { ArgumentName: name, ArgumentValue: one },
      });
    }
    return { grantee: knownAccount(world, match[1] as "id" | "uri" | "emailAddress", match[2]!), permission }; // as the expression says
  });
}

/** Whom a grant names. @throws S3Error InvalidArgument, UnresolvableGrantByEmailAddress */
export function knownAccount(world: World, by: "id" | "uri" | "emailAddress", value: string): Grantee {
  if (by === "uri") {
    const group =
      /^http:\/\/acs\.amazonaws\.com\/groups\/(?:global\/(AllUsers|AuthenticatedUsers)|s3\/(LogDelivery))$/.exec(value);
    if (group === null) throw invalidGrant("Invalid group uri", value);
    return { group: (group[1] ?? group[2]) as "AllUsers" | "AuthenticatedUsers" | "LogDelivery" }; // as the expression says
  }
  const known = [...world.credentials.values()];
  if (by === "emailAddress") {
    const account = known.find((one) => one.email === value)?.account;
    if (account !== undefined) return { account };
    throw new S3Error(
      "UnresolvableGrantByEmailAddress",
      "The e-mail address you provided does not match any account on record.",
    );
  }
  // Twelve digits are an account that may have no key here.
  if (/^\d{12}$/.test(value) || known.some((one) => one.account === value)) return { account: value };
  throw invalidGrant("Invalid id", value);
}

function invalidGrant(message: string, value: string): S3Error {
  return new S3Error("InvalidArgument", message, {
    elements: { ArgumentName: "CanonicalUser/ID", ArgumentValue: value },
  });
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html (BlockPublicAcls) */
export function checkNotPublic({ settings }: Bucket, acl: Acl): void {
  if (settings.publicAccess?.blockPublicAcls && isPublicAcl(acl)) throw accessDenied();
}
