import { expect } from "vitest";
import { startHarness, test } from "../../test/harness.ts";

test("proves that credentials are accepted", async ({ run }) => {
  expect(await run("validate-credentials", {})).toMatchObject({ success: true });
});

test("fails with the store's own code where they are not", async () => {
  const harness = await startHarness({ env: { S3_SECRET: "not the secret" } });
  try {
    await expect(harness.run("validate-credentials", {})).rejects.toMatchObject({ code: "SignatureDoesNotMatch" });
    const job = await harness.producer.enqueue("validate-credentials", {});
    expect(await job.succeeded()).toBe(false);
  } finally {
    await harness.close();
  }
});
