import { Readable } from "node:stream";
import { expect, onTestFinished } from "vitest";
import { createS3 } from "../../s3/create.ts";
import { test } from "../../test/harness.ts";
import { connectionTo } from "../../test/open-s3.ts";

test("moves an object and says what was proven", async ({ sandbox, run }) => {
  sandbox.createBucket("in");
  sandbox.createBucket("out");
  sandbox.put("in", "a.txt", "content", { metadata: { by: "me" } });
  const moved = await run("move-object", { object: { bucket: "in", key: "a.txt" }, destination: { bucket: "out" } });
  expect(moved).toMatchObject({ success: true, verified: "etag", guarantee: "conditional", object: { bucket: "out" } });
  expect(sandbox.keys("in")).toEqual([]);
  expect(sandbox.object("out", "a.txt")).toMatchObject({ metadata: { by: "me" }, size: 7 });
});

test("keeps both objects when the source changed after the copy", async ({ sandbox, run }) => {
  sandbox.createBucket("changed");
  sandbox.put("changed", "a.txt", "older");
  const remove = sandbox.after("CopyObject", () => void sandbox.put("changed", "a.txt", "newer"));
  const move = run("move-object", {
    object: { bucket: "changed", key: "a.txt" },
    destination: { bucket: "changed", key: "b" },
  });
  await expect(move).rejects.toMatchObject({ code: "SourceChanged", retryable: false });
  remove();
  expect([sandbox.text("changed", "a.txt"), sandbox.text("changed", "b")]).toEqual(["newer", "older"]);
});

test("keeps the source when the copy's answer proves nothing", async ({ sandbox, run }) => {
  sandbox.createBucket("unproven");
  sandbox.put("unproven", "a", "x");
  sandbox.fault({ operation: "CopyObject", bucket: "unproven", kind: "empty-200" });
  const move = run("move-object", {
    object: { bucket: "unproven", key: "a" },
    destination: { bucket: "unproven", key: "b" },
  });
  await expect(move).rejects.toMatchObject({ retryable: true });
  expect(sandbox.text("unproven", "a")).toBe("x");
});

test("moving an object onto itself writes and deletes nothing", async ({ sandbox, run }) => {
  sandbox.createBucket("self");
  sandbox.put("self", "a", "x");
  sandbox.clearLog();
  const moved = await run("move-object", { object: { bucket: "self", key: "a" }, destination: { bucket: "self" } });
  expect(moved.success).toBe(true);
  expect(sandbox.log.map(({ operation }) => operation)).toEqual(["HeadObject"]);
});

test("keeps the source where only size could be proven and the job asks for more", async ({ sandbox, run }) => {
  sandbox.createBucket("weak");
  sandbox.put("weak", "a", "x", { etag: `${"0".repeat(32)}-2` });
  const move = run("move-object", {
    object: { bucket: "weak", key: "a" },
    destination: { bucket: "weak", key: "b" },
    minVerify: "etag",
  });
  await expect(move).rejects.toMatchObject({ code: "VerificationTooWeak" });
  expect(sandbox.text("weak", "a")).toBe("x");
});

test("ends well where the answer to the copy or to the delete was lost", async ({ sandbox, run }) => {
  for (const operation of ["CopyObject", "DeleteObject"] as const) {
    const bucket = `lost-${operation.toLowerCase()}`;
    sandbox.createBucket(bucket);
    sandbox.put(bucket, "a", "x");
    const fault = sandbox.fault({ operation, bucket, kind: "reset-after", times: 1 });
    const moved = await run("move-object", { object: { bucket, key: "a" }, destination: { bucket, key: "b" } });
    expect(moved.success).toBe(true);
    expect(fault.hits).toBe(1);
    expect(sandbox.keys(bucket)).toEqual(["b"]);
  }
});

test("refuses to overwrite where onConflict is fail, and keeps both", async ({ sandbox, run }) => {
  sandbox.createBucket("both");
  sandbox.put("both", "a", "1");
  sandbox.put("both", "b", "2");
  const object = { bucket: "both", key: "a" };
  const move = run("move-object", { object, destination: { bucket: "both", key: "b" }, onConflict: "fail" });
  await expect(move).rejects.toMatchObject({ code: "DestinationExists" });
  expect([sandbox.text("both", "a"), sandbox.text("both", "b")]).toEqual(["1", "2"]);
});

test("skips a source whose content is at the destination already, and keeps it; other content is replaced", async ({
  sandbox,
  run,
}) => {
  sandbox.createBucket("identical");
  for (const [key, content] of Object.entries({ a: "same", b: "same", c: "other" }))
    sandbox.put("identical", key, content);
  const move = (key: string) =>
    run("move-object", {
      object: { bucket: "identical", key: "a" },
      destination: { bucket: "identical", key },
      onConflict: "skip-identical",
    });
  expect(await move("b")).toMatchObject({ skipped: true, verified: "etag" });
  expect(sandbox.keys("identical")).toEqual(["a", "b", "c"]);
  expect(await move("c")).toMatchObject({ skipped: false });
  expect([sandbox.keys("identical"), sandbox.text("identical", "c")]).toEqual([["b", "c"], "same"]);
});

test("keeps the lock of what it moves, refuses where the bucket takes none, and names what it was told to drop", async ({
  sandbox,
  run,
}) => {
  for (const bucket of ["ledger", "archive"]) sandbox.createBucket(bucket, { objectLock: true });
  sandbox.createBucket("loose");
  const s3 = createS3(connectionTo(sandbox));
  onTestFinished(() => s3.close());
  const call = { signal: new AbortController().signal };
  const attributes = { objectLock: { legalHold: true } };
  for (const key of ["a", "b"])
    await s3.put({ bucket: "ledger", key, body: Readable.from(["x"]), size: 1, attributes }, call);
  const move = (key: string, bucket: string, more: object = {}) =>
    run("move-object", { object: { bucket: "ledger", key }, destination: { bucket }, ...more });
  await expect(move("a", "loose")).rejects.toMatchObject({ code: "ProtectionNotCarried" });
  expect([sandbox.text("ledger", "a"), sandbox.text("loose", "a")]).toEqual(["x", undefined]);
  expect(await move("b", "archive")).not.toHaveProperty("notCarried");
  expect(await run("head-object", { object: { bucket: "archive", key: "b" } })).toMatchObject({ object: attributes });
  expect(await move("a", "loose", { objectLock: "drop" })).toMatchObject({ success: true, notCarried: ["objectLock"] });
});
