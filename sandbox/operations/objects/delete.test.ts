import { DeleteObjectCommand, DeleteObjectsCommand } from "@aws-sdk/client-s3";
import { expect } from "vitest";
import { connect, expectRefusal, raw, test } from "../../fixtures.ts";
import { startSandbox } from "../../start.ts";

test("deletes, and calls a missing key deleted", async ({ sandbox, s3 }) => {
  sandbox.put("docs", "a", "x");
  for (let i = 0; i < 2; i++) {
    const answer = await s3.send(new DeleteObjectCommand({ Bucket: "docs", Key: "a" }));
    expect(answer.$metadata.httpStatusCode).toBe(204);
  }
  expect(sandbox.keys("docs")).toEqual([]);
});

test("deletes only what the condition names", async ({ sandbox, s3 }) => {
  const remove = (IfMatch: string) => s3.send(new DeleteObjectCommand({ Bucket: "docs", Key: "a", IfMatch }));
  await expectRefusal(remove('"any"'), "NoSuchKey", 404);
  const { etag } = sandbox.put("docs", "a", "x");
  await expectRefusal(remove('"other"'), "PreconditionFailed", 412);
  expect(sandbox.text("docs", "a")).toBe("x");
  await remove(`"${etag}"`);
  expect(sandbox.text("docs", "a")).toBeUndefined();
});

test("ignores the conditions of deletes where told to", async () => {
  await using careless = await startSandbox({ enforceConditions: { delete: false, multiDelete: false } });
  careless.createBucket("docs");
  careless.put("docs", "a", "x");
  careless.put("docs", "b", "x");
  const s3 = connect(careless);
  await s3.send(new DeleteObjectCommand({ Bucket: "docs", Key: "a", IfMatch: '"other"' }));
  await s3.send(new DeleteObjectsCommand({ Bucket: "docs", Delete: { Objects: [{ Key: "b", ETag: '"other"' }] } }));
  expect(careless.keys("docs")).toEqual([]);
});

test("leaves delete markers in a versioned bucket and removes versions by id", async ({ sandbox, s3 }) => {
  sandbox.createBucket("versioned", { versioning: true });
  const first = sandbox.put("versioned", "a", "1");
  const deleted = await s3.send(new DeleteObjectCommand({ Bucket: "versioned", Key: "a" }));
  expect(deleted.DeleteMarker).toBe(true);
  expect(sandbox.text("versioned", "a")).toBeUndefined();
  await expectRefusal(
    s3.send(new DeleteObjectCommand({ Bucket: "versioned", Key: "a", IfMatch: "*" })),
    "PreconditionFailed",
    412,
  );
  // Removing the marker brings the object back.
  const undone = await s3.send(
    new DeleteObjectCommand({ Bucket: "versioned", Key: "a", VersionId: deleted.VersionId }),
  );
  expect([undone.DeleteMarker, undone.VersionId]).toEqual([true, deleted.VersionId]);
  expect(sandbox.text("versioned", "a")).toBe("1");
  await s3.send(new DeleteObjectCommand({ Bucket: "versioned", Key: "a", VersionId: first.versionId }));
  expect(sandbox.versions("versioned", "a")).toEqual([]);
});

test("deletes many, each with its own condition and its own error", async ({ sandbox, s3 }) => {
  const good = sandbox.put("docs", "good", "x");
  sandbox.put("docs", "changed", "x");
  const answer = await s3.send(
    new DeleteObjectsCommand({
      Bucket: "docs",
      Delete: {
        Objects: [
          { Key: "good", ETag: good.etag },
          { Key: "changed", ETag: '"other"' },
          { Key: "missing" },
          { Key: "gone", ETag: '"other"' },
        ],
      },
    }),
  );
  expect(answer.Deleted?.map((one) => one.Key)).toEqual(["good", "missing"]);
  expect(answer.Errors?.map((one) => [one.Key, one.Code])).toEqual([
    ["changed", "PreconditionFailed"],
    ["gone", "NoSuchKey"],
  ]);
  expect(sandbox.keys("docs")).toEqual(["changed"]);
});

test("answers quietly with errors only", async ({ sandbox, s3 }) => {
  sandbox.put("docs", "a", "x");
  sandbox.put("docs", "b", "x");
  const Objects = [{ Key: "a" }, { Key: "b", ETag: '"other"' }];
  const answer = await s3.send(new DeleteObjectsCommand({ Bucket: "docs", Delete: { Quiet: true, Objects } }));
  expect([answer.Deleted, answer.Errors?.length]).toEqual([undefined, 1]);
});

test("deletes versions and says which markers it made", async ({ sandbox, s3 }) => {
  sandbox.createBucket("versioned", { versioning: true });
  const old = sandbox.put("versioned", "a", "1");
  sandbox.put("versioned", "a", "2");
  const Objects = [{ Key: "a", VersionId: old.versionId }, { Key: "a" }];
  const { Deleted } = await s3.send(new DeleteObjectsCommand({ Bucket: "versioned", Delete: { Objects } }));
  const [marker] = sandbox.versions("versioned", "a");
  expect(Deleted).toEqual([
    { Key: "a", VersionId: old.versionId },
    { Key: "a", DeleteMarker: true, DeleteMarkerVersionId: marker?.versionId },
  ]);
});

test("takes 1,000 keys and no more, and wants a digest", async ({ sandbox, s3 }) => {
  const send = (count: number) =>
    s3.send(
      new DeleteObjectsCommand({
        Bucket: "docs",
        Delete: { Objects: Array.from({ length: count }, (_, i) => ({ Key: `k${i}` })) },
      }),
    );
  expect((await send(1000)).Deleted?.length).toBe(1000);
  await expectRefusal(send(1001), "MalformedXML", 400);
  const body = "<Delete><Object><Key>a</Key></Object></Delete>";
  expect((await raw(sandbox, { method: "POST", path: "/docs?delete", body })).text).toContain(
    "Content-MD5 OR x-amz-checksum",
  );
  const headers = { "content-md5": "AAAAAAAAAAAAAAAAAAAAAA==" };
  expect((await raw(sandbox, { method: "POST", path: "/docs?delete", body, headers })).text).toContain(
    "<Code>BadDigest</Code>",
  );
});
