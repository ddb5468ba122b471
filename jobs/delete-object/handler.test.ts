import { expect } from "vitest";
import { test } from "../../test/harness.ts";

test("deletes an object; one that is not there counts as deleted", async ({ sandbox, run }) => {
  sandbox.createBucket("del");
  sandbox.put("del", "a", "x");
  const object = { bucket: "del", key: "a" };
  expect(await run("delete-object", { object })).toEqual({ success: true, ...object, deleteMarker: false });
  expect(sandbox.keys("del")).toEqual([]);
  expect(await run("delete-object", { object })).toMatchObject({ success: true });
});

test("deletes only the content it was told to", async ({ sandbox, run }) => {
  sandbox.createBucket("cond");
  const { etag } = sandbox.put("cond", "a", "old");
  sandbox.put("cond", "a", "new");
  const object = { bucket: "cond", key: "a" };
  await expect(run("delete-object", { object, ifMatch: etag })).rejects.toMatchObject({ retryable: false });
  expect(sandbox.text("cond", "a")).toBe("new");
});

test("hides an object of a versioned bucket, or deletes one version of it", async ({ sandbox, run }) => {
  sandbox.createBucket("vers", { versioning: true });
  const { versionId } = sandbox.put("vers", "a", "one");
  if (versionId === undefined) throw new Error("expected a version");
  const hidden = await run("delete-object", { object: { bucket: "vers", key: "a" } });
  expect(hidden.deleteMarker).toBe(true);
  expect(sandbox.text("vers", "a", versionId)).toBe("one");
  await run("delete-object", { object: { bucket: "vers", key: "a", versionId } });
  expect(sandbox.text("vers", "a", versionId)).toBeUndefined();
});
