import { expect } from "vitest";
import { test } from "../../test/harness.ts";

test("tells all about an object", async ({ sandbox, run }) => {
  sandbox.createBucket("head");
  const { etag } = sandbox.put("head", "ключ", "x", { contentType: "text/plain", metadata: { by: "me" } });
  const { object } = await run("head-object", { object: { bucket: "head", key: "ключ" } });
  expect(object).toMatchObject({
    bucket: "head",
    key: "ключ",
    size: 1,
    etag,
    contentType: "text/plain",
    metadata: { by: "me" },
  });
});

test("tells a missing object from a missing bucket", async ({ sandbox, run }) => {
  sandbox.createBucket("head-none");
  await expect(run("head-object", { object: { bucket: "head-none", key: "a" } })).rejects.toMatchObject({
    code: "NoSuchKey",
  });
  await expect(run("head-object", { object: { bucket: "head-nowhere", key: "a" } })).rejects.toMatchObject({
    code: "NoSuchBucket",
  });
});

test("uses up no attempt where the store asks to slow down, although HEAD cannot say so in words", async ({
  sandbox,
  harness,
}) => {
  sandbox.createBucket("head-busy");
  sandbox.put("head-busy", "a", "x");
  sandbox.fault({ operation: "HeadObject", bucket: "head-busy", kind: "slow-down", times: 2 });
  const input = { object: { bucket: "head-busy", key: "a" } };
  const { object } = await harness.producer.run("head-object", input, { attempts: 1, timeout: 15_000 });
  expect(object.size).toBe(1);
});
