import {
  DeleteBucketPolicyCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketPolicyStatusCommand,
  GetObjectCommand,
  GetPublicAccessBlockCommand,
  HeadObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { expect, test as plain } from "vitest";
import { connect, expectRefusal, raw, test } from "../../fixtures.ts";
import { matchesPattern } from "../../auth/policy.ts";
import type { Sandbox } from "../../interface.ts";

const guest = { accessKeyId: "guest", secretAccessKey: "g", account: "111122223333" };

const statement = (more: object) => ({
  Effect: "Allow",
  Principal: { AWS: `arn:aws:iam::${guest.account}:root` },
  Action: "s3:GetObject",
  Resource: "arn:aws:s3:::docs/*",
  ...more,
});
const policy = (...Statement: object[]) =>
  new PutBucketPolicyCommand({ Bucket: "docs", Policy: JSON.stringify({ Version: "2012-10-17", Statement }) });

function asGuest(sandbox: Sandbox) {
  sandbox.addCredentials(guest);
  return connect(sandbox, { credentials: guest });
}

test("a policy lets another account in, for what it names only", async ({ sandbox, s3 }) => {
  const theirs = asGuest(sandbox);
  sandbox.put("docs", "public/a", "x");
  sandbox.put("docs", "private/a", "x");
  const get = (Key: string) => theirs.send(new GetObjectCommand({ Bucket: "docs", Key }));
  await expectRefusal(get("public/a"), "AccessDenied", 403);
  await s3.send(policy(statement({ Resource: "arn:aws:s3:::docs/public/*" })));
  await get("public/a");
  await expectRefusal(get("private/a"), "AccessDenied", 403);
  const put = new PutObjectCommand({ Bucket: "docs", Key: "public/b", Body: "x" });
  await expectRefusal(theirs.send(put), "AccessDenied", 403);
  expect((await s3.send(new GetBucketPolicyStatusCommand({ Bucket: "docs" }))).PolicyStatus?.IsPublic).toBe(false);
  await s3.send(new DeleteBucketPolicyCommand({ Bucket: "docs" }));
  await expectRefusal(get("public/a"), "AccessDenied", 403);
  await expectRefusal(s3.send(new GetBucketPolicyCommand({ Bucket: "docs" })), "NoSuchBucketPolicy", 404);
});

test("a deny outranks everything, for the owner too", async ({ sandbox, s3 }) => {
  sandbox.put("docs", "a", "x", { tags: { secret: "yes" } });
  sandbox.put("docs", "b", "x");
  const Condition = { StringEquals: { "s3:ExistingObjectTag/secret": "yes" } };
  await s3.send(policy(statement({ Effect: "Deny", Principal: "*", Condition })));
  await expectRefusal(s3.send(new GetObjectCommand({ Bucket: "docs", Key: "a" })), "AccessDenied", 403);
  await s3.send(new GetObjectCommand({ Bucket: "docs", Key: "b" }));
});

test("who may not list does not learn that a key is missing", async ({ sandbox, s3 }) => {
  const theirs = asGuest(sandbox);
  const head = () => theirs.send(new HeadObjectCommand({ Bucket: "docs", Key: "missing" }));
  await s3.send(policy(statement({})));
  await expect(head()).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
  await s3.send(policy(statement({}), statement({ Action: "s3:ListBucket", Resource: "arn:aws:s3:::docs" })));
  await expectRefusal(head(), "NotFound", 404);
});

test("a policy whose condition cannot be judged is refused, not half obeyed", async ({ s3 }) => {
  const Condition = { DateGreaterThan: { "aws:CurrentTime": "2020-01-01T00:00:00Z" } };
  await expectRefusal(s3.send(policy(statement({ Condition }))), "NotImplemented", 501);
  await expectRefusal(s3.send(policy(statement({ Resource: "arn:aws:s3:::other/*" }))), "MalformedPolicy", 400);
  await expectRefusal(s3.send(policy(statement({ Action: "ec2:Run" }))), "MalformedPolicy", 400);
});

test("a new bucket blocks public policies and has its owner's control, as on AWS", async ({ sandbox, s3 }) => {
  await expectRefusal(s3.send(policy(statement({ Principal: "*" }))), "AccessDenied", 403);
  const block = await s3.send(new GetPublicAccessBlockCommand({ Bucket: "docs" }));
  expect(block.PublicAccessBlockConfiguration?.BlockPublicPolicy).toBe(true);
  const { OwnershipControls } = await s3.send(new GetBucketOwnershipControlsCommand({ Bucket: "docs" }));
  expect(OwnershipControls?.Rules).toEqual([{ ObjectOwnership: "BucketOwnerEnforced" }]);
  sandbox.createBucket("open", { blockPublicAccess: false });
  sandbox.put("open", "a", "x");
  const Statement = [statement({ Principal: "*", Resource: "arn:aws:s3:::open/*" })];
  await s3.send(new PutBucketPolicyCommand({ Bucket: "open", Policy: JSON.stringify({ Statement }) }));
  expect((await raw(sandbox, { path: "/open/a", sign: false })).text).toBe("x");
});

plain.each([
  ["s3:Get*", "s3:GetObject", true],
  ["s3:*Object", "s3:GetObjectAcl", false],
  ["arn:aws:s3:::b/*/x?.txt", "arn:aws:s3:::b/a/b/x1.txt", true],
  ["*", "", true],
  ["a?c", "abbc", false],
])("the pattern %s against %s: %s", (pattern, text, expected) => {
  expect(matchesPattern(pattern, text, false)).toBe(expected);
});

plain(
  "a pattern of many stars takes no time",
  () => {
    expect(matchesPattern("*a".repeat(30), "a".repeat(20_000) + "b", false)).toBe(false);
  },
  2000,
);
