import { expect } from "vitest";
import { test } from "../../test/harness.ts";

test("deletes an empty bucket and refuses one that holds anything", async ({ sandbox, run }) => {
  sandbox.createBucket("empty");
  sandbox.createBucket("full");
  sandbox.put("full", "a", "x");
  expect(await run("delete-bucket", { bucket: "empty" })).toEqual({ success: true });
  await expect(run("delete-bucket", { bucket: "full" })).rejects.toMatchObject({ code: "BucketNotEmpty" });
  expect(sandbox.keys("full")).toEqual(["a"]);
});
