import { Redis } from "ioredis";
import { expect, onTestFinished } from "vitest";
import { redisUrl } from "../../test/fixtures.ts";
import { test } from "../../test/harness.ts";

test("copies an object complete with metadata, tags, headers and storage class, and says what proved it", async ({
  sandbox,
  run,
}) => {
  sandbox.createBucket("from");
  sandbox.createBucket("to");
  sandbox.put("from", "a b+c%.txt", "content", {
    contentType: "text/plain",
    headers: { "cache-control": "no-store" },
    metadata: { by: "me" },
    tags: { kind: "test" },
    storageClass: "STANDARD_IA",
  });
  const result = await run("copy-object", {
    object: { bucket: "from", key: "a b+c%.txt" },
    destination: { bucket: "to" },
  });
  expect(result).toMatchObject({ success: true, skipped: false, verified: "etag", object: { bucket: "to", size: 7 } });
  expect(sandbox.object("to", "a b+c%.txt")).toMatchObject({
    contentType: "text/plain",
    headers: { "cache-control": "no-store" },
    metadata: { by: "me" },
    tags: { kind: "test" },
    storageClass: "STANDARD_IA",
  });
});

test("replaces what it is told to and keeps the rest", async ({ sandbox, run }) => {
  sandbox.createBucket("over");
  sandbox.put("over", "a", "x", { contentType: "text/plain", metadata: { by: "me" } });
  const object = { bucket: "over", key: "a" };
  await run("copy-object", { object, destination: { bucket: "over", key: "b" }, contentType: "text/html" });
  expect(sandbox.object("over", "b")).toMatchObject({ contentType: "text/html", metadata: { by: "me" } });
  await run("copy-object", { object, destination: { bucket: "over", key: "a" }, metadata: { by: "you" } });
  expect(sandbox.object("over", "a")).toMatchObject({ contentType: "text/plain", metadata: { by: "you" } });
});

test("treats an object at the destination as onConflict says", async ({ sandbox, run }) => {
  sandbox.createBucket("conf");
  sandbox.put("conf", "new", "new");
  sandbox.put("conf", "twin", "new");
  const copy = (key: string, onConflict: "skip" | "fail" | "skip-identical" | "overwrite") => {
    sandbox.put("conf", "old", "old");
    return run("copy-object", {
      object: { bucket: "conf", key: "new" },
      destination: { bucket: "conf", key },
      onConflict,
    });
  };
  expect(await copy("old", "skip")).toMatchObject({ skipped: true, object: { size: 3 } });
  expect(sandbox.text("conf", "old")).toBe("old");
  await expect(copy("old", "fail")).rejects.toMatchObject({ code: "DestinationExists" });
  expect(sandbox.text("conf", "old")).toBe("old");
  expect(await copy("twin", "skip-identical")).toMatchObject({ skipped: true, verified: "etag" });
  expect(await copy("old", "skip-identical")).toMatchObject({ skipped: false });
  expect(sandbox.text("conf", "old")).toBe("new");
});

test("claims no copy that the answer does not prove", async ({ sandbox, run }) => {
  sandbox.createBucket("lie");
  sandbox.put("lie", "a", "x");
  sandbox.fault({ operation: "CopyObject", bucket: "lie", kind: "error-in-200" });
  const copy = run("copy-object", { object: { bucket: "lie", key: "a" }, destination: { bucket: "lie", key: "b" } });
  await expect(copy).rejects.toMatchObject({ retryable: true });
  expect(sandbox.keys("lie")).toEqual(["a"]);
});

test("remembers in Redis what a copy needs only where another attempt may come", async ({
  sandbox,
  harness: { producer, prefix },
}) => {
  sandbox.createBucket("notes");
  sandbox.put("notes", "a", "x");
  const redis = new Redis(redisUrl());
  onTestFinished(() => redis.disconnect());
  const noted = async (to: string) => {
    const input = { object: { bucket: "notes", key: "a" }, destination: { bucket: "notes", key: to } };
    const job = await producer.enqueue("copy-object", input, { attempts: 1 });
    await job.result().catch(() => undefined);
    return (await redis.keys(`${prefix}*evidence*${job.id}*`)).length > 0;
  };
  expect(await noted("b")).toBe(false);
  sandbox.fault({ operation: "CopyObject", bucket: "notes", kind: "error-in-200", after: true });
  expect(await noted("c")).toBe(true);
});

test("copies over equal content that another bucket got in the same second", async ({ sandbox, run }) => {
  sandbox.createBucket("morning");
  sandbox.createBucket("evening");
  const lastModified = new Date();
  for (const bucket of ["morning", "evening"]) sandbox.put(bucket, "a", "the same", { lastModified });
  const object = { bucket: "morning", key: "a" };
  expect(await run("copy-object", { object, destination: { bucket: "evening" } })).toMatchObject({ success: true });
});
