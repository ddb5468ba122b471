import { expect } from "vitest";
import { test } from "../../test/harness.ts";

test("tells a bucket's region", async ({ sandbox, run }) => {
  sandbox.createBucket("frankfurt", { region: "eu-central-1" });
  expect(await run("head-bucket", { bucket: "frankfurt" })).toEqual({
    bucket: { name: "frankfurt", region: "eu-central-1" },
  });
});

test("fails with NoSuchBucket that names the bucket", async ({ run }) => {
  await expect(run("head-bucket", { bucket: "no-bucket" })).rejects.toMatchObject({
    code: "NoSuchBucket",
    message: expect.stringContaining("no-bucket"),
  });
});
