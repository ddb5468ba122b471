import { expect } from "vitest";
import { startSandbox } from "../../sandbox/index.ts";
import { startHarness, test } from "../../test/harness.ts";

test("proves that credentials are accepted", async ({ run }) => {
  expect(await run("validate-credentials", {})).toMatchObject({ success: true });
});

test("tells whose credentials they are where a token service is named", async () => {
  const sandbox = await startSandbox();
  const harness = await startHarness({
    profiles: { told: { endpoint: sandbox.endpoint, stsEndpoint: sandbox.endpoint } },
  });
  try {
    const { account, arn } = await harness.run("validate-credentials", { credentials: "told" });
    expect(account).toMatch(/^\d{12}$/);
    expect(arn).toContain(account);
  } finally {
    await harness.close();
    await sandbox.close();
  }
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
