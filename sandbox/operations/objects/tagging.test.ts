import { DeleteObjectTaggingCommand, GetObjectTaggingCommand, PutObjectTaggingCommand } from "@aws-sdk/client-s3";
import { expect } from "vitest";
import { expectRefusal, test } from "../../fixtures.ts";

test("tags are set, read and removed without touching the object", async ({ sandbox, s3 }) => {
  const where = { Bucket: "docs", Key: "a" };
  const { etag } = sandbox.put("docs", "a", "x");
  const TagSet = [{ Key: "ü & <b>", Value: " 1 " }];
  await s3.send(new PutObjectTaggingCommand({ ...where, Tagging: { TagSet } }));
  expect((await s3.send(new GetObjectTaggingCommand(where))).TagSet).toEqual(TagSet);
  expect(sandbox.object("docs", "a")).toMatchObject({ etag, tags: { "ü & <b>": " 1 " } });
  await s3.send(new DeleteObjectTaggingCommand(where));
  expect((await s3.send(new GetObjectTaggingCommand(where))).TagSet ?? []).toEqual([]);
  const twice = {
    TagSet: [
      { Key: "a", Value: "1" },
      { Key: "a", Value: "2" },
    ],
  };
  await expectRefusal(s3.send(new PutObjectTaggingCommand({ ...where, Tagging: twice })), "InvalidTag", 400);
  await expectRefusal(s3.send(new GetObjectTaggingCommand({ ...where, Key: "missing" })), "NoSuchKey", 404);
});

test("tags belong to one version", async ({ sandbox, s3 }) => {
  sandbox.createBucket("versioned", { versioning: true });
  const old = sandbox.put("versioned", "a", "1");
  sandbox.put("versioned", "a", "2");
  const where = { Bucket: "versioned", Key: "a" };
  await s3.send(
    new PutObjectTaggingCommand({
      ...where,
      VersionId: old.versionId,
      Tagging: { TagSet: [{ Key: "k", Value: "v" }] },
    }),
  );
  expect(sandbox.versions("versioned", "a").map((one) => one.tags)).toEqual([{}, { k: "v" }]);
});
