import { expect } from "vitest";
import { test } from "../../test/harness.ts";

test("makes a bucket in the region asked for; one that is ours already counts as made", async ({ sandbox, run }) => {
  const made = await run("create-bucket", { bucket: "made", region: "eu-west-1" });
  expect(made).toMatchObject({ success: true, bucket: { name: "made", region: "eu-west-1" } });
  expect(sandbox.keys("made")).toEqual([]);
  expect((await run("create-bucket", { bucket: "made", region: "eu-west-1" })).success).toBe(true);
});

test("refuses aws-global and says why", async ({ run }) => {
  await expect(run("create-bucket", { bucket: "made-2", region: "aws-global" })).rejects.toMatchObject({
    code: "InvalidInput",
    field: "region",
    message: expect.stringContaining("us-east-1"),
  });
});
