import {
  CreateBucketCommand,
  DeleteBucketCommand,
  GetBucketLocationCommand,
  GetBucketVersioningCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
} from "@aws-sdk/client-s3";
import { describe, expect } from "vitest";
import { connect, expectRefusal, raw, test } from "../../fixtures.ts";

test("creates, finds, lists and deletes a bucket", async ({ sandbox, s3 }) => {
  await s3.send(new CreateBucketCommand({ Bucket: "new-bucket" }));
  const head = await s3.send(new HeadBucketCommand({ Bucket: "new-bucket" }));
  expect(head.BucketRegion).toBe("us-east-1");
  const { Buckets } = await s3.send(new ListBucketsCommand({}));
  expect(Buckets?.map((bucket) => bucket.Name)).toEqual(["docs", "new-bucket"]);
  await s3.send(new DeleteBucketCommand({ Bucket: "new-bucket" }));
  expect(sandbox.buckets()).toEqual(["docs"]);
  await expectRefusal(s3.send(new HeadBucketCommand({ Bucket: "new-bucket" })), "NotFound", 404);
});

test("lists buckets in pages, by prefix, with regions only when a parameter was given", async ({ sandbox, s3 }) => {
  for (const name of ["a-1", "a-2", "a-3"]) sandbox.createBucket(`${name}-x`);
  const plain = await s3.send(new ListBucketsCommand({}));
  expect(plain.Buckets?.[0]?.BucketRegion).toBeUndefined();
  const first = await s3.send(new ListBucketsCommand({ Prefix: "a-", MaxBuckets: 2 }));
  expect(first.Buckets?.map((bucket) => [bucket.Name, bucket.BucketRegion])).toEqual([
    ["a-1-x", "us-east-1"],
    ["a-2-x", "us-east-1"],
  ]);
  const second = await s3.send(new ListBucketsCommand({ Prefix: "a-", ContinuationToken: first.ContinuationToken }));
  expect(second.Buckets?.map((bucket) => bucket.Name)).toEqual(["a-3-x"]);
  expect(second.ContinuationToken).toBeUndefined();
});

test("refuses names that S3 refuses", async ({ sandbox }) => {
  for (const name of [
    "ab",
    "A-bucket",
    "under_score",
    "-start",
    "end-",
    "two..dots",
    "192.168.0.1",
    "xn--bucket",
    "x-s3alias",
    "b".repeat(64),
  ]) {
    const answer = await raw(sandbox, { method: "PUT", path: `/${name}` });
    expect([name, answer.status, /<Code>(\w+)/.exec(answer.text)?.[1]]).toEqual([name, 400, "InvalidBucketName"]);
  }
});

test("recreating one's own bucket succeeds in us-east-1 and conflicts elsewhere", async ({ sandbox, s3 }) => {
  await s3.send(new CreateBucketCommand({ Bucket: "docs" }));
  const west = connect(sandbox, { region: "eu-west-1" });
  const request = { Bucket: "abroad", CreateBucketConfiguration: { LocationConstraint: "eu-west-1" } } as const;
  await west.send(new CreateBucketCommand(request));
  await expectRefusal(west.send(new CreateBucketCommand(request)), "BucketAlreadyOwnedByYou", 409);
});

test("wants the location constraint to fit the endpoint's region", async ({ sandbox }) => {
  const west = connect(sandbox, { region: "eu-west-1" });
  const wrong = raw(sandbox, { method: "PUT", path: "/abroad", region: "eu-west-1" });
  expect((await wrong).text).toContain("<Code>IllegalLocationConstraintException</Code>");
  const body =
    "<CreateBucketConfiguration><LocationConstraint>us-east-1</LocationConstraint></CreateBucketConfiguration>";
  expect((await raw(sandbox, { method: "PUT", path: "/home-bucket", body })).text).toContain(
    "<Code>InvalidLocationConstraint</Code>",
  );
  await west.send(
    new CreateBucketCommand({ Bucket: "abroad", CreateBucketConfiguration: { LocationConstraint: "eu-west-1" } }),
  );
  const location = await west.send(new GetBucketLocationCommand({ Bucket: "abroad" }));
  expect(location.LocationConstraint).toBe("eu-west-1");
});

test("does not delete a bucket that holds objects or old versions", async ({ sandbox, s3 }) => {
  sandbox.put("docs", "a", "1");
  await expectRefusal(s3.send(new DeleteBucketCommand({ Bucket: "docs" })), "BucketNotEmpty", 409);
  sandbox.createBucket("versioned", { versioning: true });
  sandbox.put("versioned", "a", "1");
  sandbox.delete("versioned", "a");
  expect(sandbox.count("versioned")).toBe(0);
  await expectRefusal(s3.send(new DeleteBucketCommand({ Bucket: "versioned" })), "BucketNotEmpty", 409);
});

test("turns versioning on and off", async ({ s3 }) => {
  expect((await s3.send(new GetBucketVersioningCommand({ Bucket: "docs" }))).Status).toBeUndefined();
  for (const Status of ["Enabled", "Suspended"] as const) {
    await s3.send(new PutBucketVersioningCommand({ Bucket: "docs", VersioningConfiguration: { Status } }));
    expect((await s3.send(new GetBucketVersioningCommand({ Bucket: "docs" }))).Status).toBe(Status);
  }
});

describe("a bucket of another region", () => {
  test("is redirected to with its region in a header, also for HEAD", async ({ sandbox, s3 }) => {
    sandbox.createBucket("abroad", { region: "eu-west-1" });
    const list = await raw(sandbox, { path: "/abroad?list-type=2" });
    expect([list.status, list.headers["x-amz-bucket-region"]]).toEqual([301, "eu-west-1"]);
    expect(list.text).toContain("<Code>PermanentRedirect</Code>");
    const head = await raw(sandbox, { method: "HEAD", path: "/abroad" });
    expect([head.status, head.headers["x-amz-bucket-region"], head.text]).toEqual([301, "eu-west-1", ""]);
    expect((await s3.send(new GetBucketLocationCommand({ Bucket: "abroad" }))).LocationConstraint).toBe("eu-west-1");
    const following = connect(sandbox, { followRegionRedirects: true, maxAttempts: 2 });
    expect((await following.send(new HeadBucketCommand({ Bucket: "abroad" }))).BucketRegion).toBe("eu-west-1");
  });
});

describe("a bucket of another account", () => {
  test("is refused, unless shared, and names taken there are taken here", async ({ sandbox, s3 }) => {
    sandbox.createBucket("foreign", { account: "111122223333" });
    sandbox.createBucket("shared", { account: "111122223333", sharedWith: ["000000000000"] });
    await expectRefusal(s3.send(new ListObjectsV2Command({ Bucket: "foreign" })), "AccessDenied", 403);
    await s3.send(new ListObjectsV2Command({ Bucket: "shared" }));
    await expectRefusal(s3.send(new CreateBucketCommand({ Bucket: "foreign" })), "BucketAlreadyExists", 409);
    expect((await s3.send(new ListBucketsCommand({}))).Buckets?.map((bucket) => bucket.Name)).toEqual(["docs"]);
  });

  test("is refused when another owner was expected", async ({ s3 }) => {
    const wrong = new HeadBucketCommand({ Bucket: "docs", ExpectedBucketOwner: "999999999999" });
    await expectRefusal(s3.send(wrong), "Unknown", 403);
    await s3.send(new HeadBucketCommand({ Bucket: "docs", ExpectedBucketOwner: "000000000000" }));
  });
});

test("answers NotImplemented to subresources it does not have", async ({ sandbox }) => {
  const answer = await raw(sandbox, { path: "/docs?lifecycle" });
  expect([answer.status, /<Code>(\w+)/.exec(answer.text)?.[1]]).toEqual([501, "NotImplemented"]);
});
