import { expect, test } from "vitest";
import { call, errorOf, openOddStore, openS3 } from "../../test/open-s3.ts";
import type { Bucket } from "../../model/entities.ts";

async function list(pages: AsyncIterable<readonly Bucket[]>): Promise<Bucket[]> {
  const buckets: Bucket[] = [];
  for await (const page of pages) buckets.push(...page);
  return buckets;
}

test("lists buckets with their dates and regions, by prefix too", async () => {
  const { sandbox, s3 } = await openS3();
  sandbox.createBucket("far", { region: "eu-west-3" });
  const all = await list(s3.listBuckets({}, call));
  expect(all.map(({ name }) => name)).toEqual(["far", "in", "out"]);
  expect(all[0]).toEqual({ name: "far", region: "eu-west-3", creationDate: expect.stringMatching(/Z$/) });
  expect(await list(s3.listBuckets({ prefix: "f" }, call))).toMatchObject([{ name: "far" }]);
});

test("filters by prefix itself where the store does not, and follows pages without going round in circles", async () => {
  const bucket = (name: string): string =>
    `<Bucket><Name>${name}</Name><CreationDate>2026-01-01T00:00:00Z</CreationDate></Bucket>`;
  const s3 = await openOddStore((request, response) => {
    const second = request.url?.includes("continuation-token=t1") === true;
    const token =
      request.url?.includes("prefix=loop") === true || !second ? "<ContinuationToken>t1</ContinuationToken>" : "";
    response.end(
      `<ListAllMyBucketsResult><Buckets>${bucket(second ? "b2" : "a1")}${bucket("b1")}</Buckets>${token}</ListAllMyBucketsResult>`,
    );
  });
  expect((await list(s3.listBuckets({ prefix: "b" }, call))).map(({ name }) => name)).toEqual(["b1", "b2", "b1"]);
  expect(await errorOf(list(s3.listBuckets({ prefix: "loop" }, call)))).toMatchObject({ code: "UnprovenResponse" });
});

test.each(["empty-200", "html-200"] as const)("never takes a %s for an account without buckets", async (kind) => {
  const { sandbox, s3 } = await openS3();
  sandbox.fault({ kind, operation: "ListBuckets" });
  expect(await errorOf(list(s3.listBuckets({}, call)))).toMatchObject({ code: "UnprovenResponse", retryable: true });
});

test("tells where a bucket is, wherever it is", async () => {
  const { sandbox, s3 } = await openS3();
  sandbox.createBucket("far", { region: "eu-west-3" });
  expect(await s3.headBucket("in", call)).toEqual({ name: "in", region: "us-east-1" });
  expect(await s3.headBucket("far", call)).toEqual({ name: "far", region: "eu-west-3" });
  expect(await errorOf(s3.headBucket("nope", call))).toMatchObject({
    code: "NoSuchBucket",
    message: expect.stringContaining("no bucket nope"),
  });
});

test("makes buckets in any region, us-east-1 too, and counts one that is ours already as made", async () => {
  const { sandbox, s3 } = await openS3();
  for (const region of ["us-east-1", "eu-west-3"]) {
    const bucket = `made-in-${region}`;
    expect(await s3.createBucket({ bucket, region }, call)).toEqual({ name: bucket, region });
    expect(await s3.createBucket({ bucket, region }, call)).toEqual({ name: bucket, region });
    expect(await s3.headBucket(bucket, call)).toEqual({ name: bucket, region });
  }
  expect(sandbox.buckets()).toEqual(["in", "made-in-eu-west-3", "made-in-us-east-1", "out"]);
});

test("does not count a bucket of somebody else as made", async () => {
  const { sandbox, s3 } = await openS3();
  sandbox.createBucket("theirs", { account: "111111111111" });
  expect(await errorOf(s3.createBucket({ bucket: "theirs", region: "eu-west-3" }, call))).toMatchObject({
    code: "BucketAlreadyExists",
  });
});

test("deletes an empty bucket in its own region, and says why a full one stays", async () => {
  const { sandbox, s3 } = await openS3();
  sandbox.createBucket("far", { region: "eu-west-3" });
  sandbox.put("in", "a", "x");
  await s3.deleteBucket({ bucket: "far" }, call);
  expect(await errorOf(s3.deleteBucket({ bucket: "in" }, call))).toMatchObject({
    code: "BucketNotEmpty",
    retryable: false,
  });
  expect(sandbox.buckets()).toEqual(["in", "out"]);
});

test("says who may not do what", async () => {
  const { sandbox, s3 } = await openS3({ connection: { expectedBucketOwner: "999999999999" } });
  sandbox.put("in", "a", "x");
  expect(await errorOf(s3.listPage({ bucket: "in" }, call))).toMatchObject({
    code: "AccessDenied",
    message: expect.stringContaining("not allowed to ListObjectsV2 on bucket in"),
    retryable: false,
  });
});

test("knows that credentials work, and that they do not", async () => {
  const { connect, s3 } = await openS3();
  expect(await s3.callerIdentity(call)).toEqual({});
  const nobody = connect({ credentials: () => Promise.resolve({ accessKeyId: "nobody", secretAccessKey: "x" }) });
  expect(await errorOf(nobody.callerIdentity(call))).toMatchObject({ code: "InvalidAccessKeyId" });
});

test("a bucket that a store only says to exist is ours where it lists it as ours", async () => {
  const s3 = await openOddStore((request, response) => {
    if (request.method === "PUT") {
      response.statusCode = 409;
      response.end("<Error><Code>BucketAlreadyExists</Code><Message>is there</Message></Error>");
    } else
      response.end(
        "<ListAllMyBucketsResult><Buckets><Bucket><Name>ours</Name></Bucket></Buckets></ListAllMyBucketsResult>",
      );
  });
  expect(await s3.createBucket({ bucket: "ours" }, call)).toMatchObject({ name: "ours" });
  expect(await errorOf(s3.createBucket({ bucket: "theirs" }, call))).toMatchObject({ code: "BucketAlreadyExists" });
});
