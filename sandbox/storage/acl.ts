/** Who is granted something: an account, or everybody of a group. */
export type Grantee = { account: string } | { group: "AllUsers" | "AuthenticatedUsers" | "LogDelivery" };

export type Permission = "READ" | "WRITE" | "READ_ACP" | "WRITE_ACP" | "FULL_CONTROL";

export type Grant = { grantee: Grantee; permission: Permission };

/** An access control list, as buckets and objects have one. */
export type Acl = { owner: string; grants: readonly Grant[] };

export const PERMISSIONS: readonly Permission[] = ["READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL"];

/** The list of what nobody said anything about. */
export function privateAcl(owner: string): Acl {
  return { owner, grants: [{ grantee: { account: owner }, permission: "FULL_CONTROL" }] };
}

/**
 * The list that a canned name stands for, undefined where there is no such name.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl
 */
export function cannedAcl(name: string, owner: string, bucketOwner: string): Acl | undefined {
  const everybody = { group: "AllUsers" } as const;
  const own = privateAcl(owner).grants;
  const toBucketOwner = (permission: Permission): Acl => ({
    owner,
    grants: owner === bucketOwner ? own : [...own, { grantee: { account: bucketOwner }, permission }],
  });
  switch (name) {
    case "private":
    case "aws-exec-read":
      return { owner, grants: own };
    case "public-read":
      return { owner, grants: [{ grantee: everybody, permission: "READ" }, ...own] };
    case "public-read-write":
      return {
        owner,
        grants: [{ grantee: everybody, permission: "READ" }, { grantee: everybody, permission: "WRITE" }, ...own],
      };
    case "authenticated-read":
      return { owner, grants: [{ grantee: { group: "AuthenticatedUsers" }, permission: "READ" }, ...own] };
    case "bucket-owner-read":
      return toBucketOwner("READ");
    case "bucket-owner-full-control":
      return toBucketOwner("FULL_CONTROL");
    case "log-delivery-write":
      return {
        owner,
        grants: [
          { grantee: { group: "LogDelivery" }, permission: "WRITE" },
          { grantee: { group: "LogDelivery" }, permission: "READ_ACP" },
          ...own,
        ],
      };
    default:
      return undefined;
  }
}

/** True where the list gives the caller that permission. An anonymous caller is `""`. */
export function grants(acl: Acl, caller: string, permission: Permission, options: { ignorePublic: boolean }): boolean {
  return acl.grants.some(
    (grant) =>
      (grant.permission === permission || grant.permission === "FULL_CONTROL") &&
      includes(grant.grantee, caller, options.ignorePublic),
  );
}

function includes(grantee: Grantee, caller: string, ignorePublic: boolean): boolean {
  if ("account" in grantee) return grantee.account === caller;
  if (ignorePublic) return false;
  return grantee.group === "AllUsers" || (grantee.group === "AuthenticatedUsers" && caller !== "");
}

/** True where the list opens something to more than single accounts. */
export function isPublicAcl(acl: Acl): boolean {
  return acl.grants.some(({ grantee }) => "group" in grantee && grantee.group !== "LogDelivery");
}
