import {
  CreateBucketCommand,
  GetBucketAclCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketAclCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
} from "@aws-sdk/client-s3";
import { describe, expect, test as plain } from "vitest";
import { connect, expectRefusal, raw, test } from "../../fixtures.ts";
import { startSandbox } from "../../start.ts";

const ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers";
const main = { accessKeyId: "main", secretAccessKey: "m", account: "111111111111", displayName: "Main" };
const other = { accessKeyId: "other", secretAccessKey: "o", account: "222222222222", email: "other@example.com" };

/** Two accounts, and a bucket of the first that takes ACLs, as buckets did before 2023. */
async function twoAccounts() {
  const sandbox = await startSandbox({
    credentials: [main, other],
    objectOwnership: "ObjectWriter",
    blockPublicAccess: false,
  });
  sandbox.createBucket("docs");
  return {
    sandbox,
    mine: connect(sandbox),
    theirs: connect(sandbox, { credentials: other }),
    [Symbol.asyncDispose]: sandbox.close,
  };
}

test("a new bucket refuses ACLs and shows the owner's full control, as on AWS", async ({ s3 }) => {
  const put = new PutObjectCommand({ Bucket: "docs", Key: "a", Body: "x", ACL: "public-read" });
  await expectRefusal(s3.send(put), "AccessControlListNotSupported", 400);
  await expectRefusal(
    s3.send(new PutBucketAclCommand({ Bucket: "docs", ACL: "public-read" })),
    "AccessControlListNotSupported",
  );
  await s3.send(new PutObjectCommand({ Bucket: "docs", Key: "a", Body: "x", ACL: "bucket-owner-full-control" }));
  const acl = await s3.send(new GetObjectAclCommand({ Bucket: "docs", Key: "a" }));
  expect(acl.Grants).toEqual([{ Grantee: { ID: "000000000000", Type: "CanonicalUser" }, Permission: "FULL_CONTROL" }]);
  const created = new CreateBucketCommand({ Bucket: "open-bucket", ACL: "public-read" });
  await expectRefusal(s3.send(created), "InvalidBucketAclWithObjectOwnership", 400);
});

describe("where ACLs are on", () => {
  plain("a canned ACL lets everybody read, and nobody write", async () => {
    await using lab = await twoAccounts();
    const { sandbox, mine, theirs } = lab;
    await mine.send(new PutObjectCommand({ Bucket: "docs", Key: "open", Body: "x", ACL: "public-read" }));
    await mine.send(new PutObjectCommand({ Bucket: "docs", Key: "shut", Body: "x" }));
    expect((await raw(sandbox, { path: "/docs/open", sign: false })).text).toBe("x");
    expect((await raw(sandbox, { path: "/docs/shut", sign: false })).status).toBe(403);
    const write = new PutObjectCommand({ Bucket: "docs", Key: "open", Body: "y" });
    await expectRefusal(theirs.send(write), "AccessDenied", 403);
    const { Grants } = await mine.send(new GetObjectAclCommand({ Bucket: "docs", Key: "open" }));
    expect(Grants?.map((grant) => [grant.Grantee?.URI ?? grant.Grantee?.DisplayName, grant.Permission])).toEqual([
      [ALL_USERS, "READ"],
      ["Main", "FULL_CONTROL"],
    ]);
  });

  plain("authenticated-read is for everybody with a key", async () => {
    await using lab = await twoAccounts();
    const { sandbox, mine, theirs } = lab;
    await mine.send(new PutObjectCommand({ Bucket: "docs", Key: "a", Body: "x", ACL: "authenticated-read" }));
    await theirs.send(new GetObjectCommand({ Bucket: "docs", Key: "a" }));
    expect((await raw(sandbox, { path: "/docs/a", sign: false })).status).toBe(403);
  });

  plain("an object belongs to its writer, and the bucket's owner may not read it", async () => {
    await using lab = await twoAccounts();
    const { mine, theirs } = lab;
    await mine.send(new PutBucketAclCommand({ Bucket: "docs", ACL: "public-read-write" }));
    await theirs.send(new PutObjectCommand({ Bucket: "docs", Key: "theirs", Body: "x" }));
    await expectRefusal(mine.send(new GetObjectCommand({ Bucket: "docs", Key: "theirs" })), "AccessDenied", 403);
    await theirs.send(new PutObjectAclCommand({ Bucket: "docs", Key: "theirs", ACL: "bucket-owner-read" }));
    await mine.send(new GetObjectCommand({ Bucket: "docs", Key: "theirs" }));
    const listed = await mine.send(new ListObjectsV2Command({ Bucket: "docs", FetchOwner: true }));
    expect(listed.Contents?.[0]?.Owner?.ID).toBe(other.account);
  });

  plain("grants name accounts by id or address, and unknown ones are refused", async () => {
    await using lab = await twoAccounts();
    const { mine, theirs } = lab;
    await mine.send(new PutBucketAclCommand({ Bucket: "docs", GrantRead: 'emailAddress="other@example.com"' }));
    await theirs.send(new ListObjectsV2Command({ Bucket: "docs" }));
    const unknown = new PutBucketAclCommand({ Bucket: "docs", GrantRead: 'emailAddress="nobody@example.com"' });
    await expectRefusal(mine.send(unknown), "UnresolvableGrantByEmailAddress", 400);
    await expectRefusal(
      mine.send(new PutBucketAclCommand({ Bucket: "docs", GrantRead: "id=nobody" })),
      "InvalidArgument",
      400,
    );
    const document = {
      Owner: { ID: main.account },
      Grants: [{ Grantee: { ID: other.account, Type: "CanonicalUser" }, Permission: "WRITE" }],
    } as const;
    await mine.send(
      new PutBucketAclCommand({
        Bucket: "docs",
        AccessControlPolicy: { Owner: document.Owner, Grants: [...document.Grants] },
      }),
    );
    await theirs.send(new PutObjectCommand({ Bucket: "docs", Key: "b", Body: "x" }));
    // The owner took the right to read from itself, but not the right to read the list.
    expect((await mine.send(new GetBucketAclCommand({ Bucket: "docs" }))).Grants).toHaveLength(1);
  });

  plain("blocked public access refuses public lists and ignores those that are there", async () => {
    await using lab = await twoAccounts();
    const { sandbox, mine } = lab;
    await mine.send(new PutObjectCommand({ Bucket: "docs", Key: "a", Body: "x", ACL: "public-read" }));
    const PublicAccessBlockConfiguration = { BlockPublicAcls: true, IgnorePublicAcls: true };
    await mine.send(new PutPublicAccessBlockCommand({ Bucket: "docs", PublicAccessBlockConfiguration }));
    expect((await raw(sandbox, { path: "/docs/a", sign: false })).status).toBe(403);
    const put = new PutObjectCommand({ Bucket: "docs", Key: "b", Body: "x", ACL: "public-read" });
    await expectRefusal(mine.send(put), "AccessDenied", 403);
  });
});
