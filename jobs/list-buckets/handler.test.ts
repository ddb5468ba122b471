import { expect } from "vitest";
import { test } from "../../test/harness.ts";

test("lists the buckets of the account, in the order of their names", async ({ sandbox, run }) => {
  for (const name of ["lb-zebra", "lb-apple", "other"]) sandbox.createBucket(name);
  const { buckets, count } = await run("list-buckets", { prefix: "lb-" });
  expect(buckets.map(({ name }) => name)).toEqual(["lb-apple", "lb-zebra"]);
  expect(count).toBe(2);
});

test("fails with the store's own code where the credentials are wrong", async ({ run, sandbox }) => {
  sandbox.fault({ operation: "ListBuckets", kind: "status", status: 403, code: "AccessDenied" });
  await expect(run("list-buckets", {})).rejects.toMatchObject({ code: "AccessDenied", retryable: false });
});
