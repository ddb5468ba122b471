import { expect, onTestFinished, test } from "vitest";
import { type Harness, startHarness } from "../../test/harness.ts";
import { MIB } from "../../test/open-s3.ts";

// Parts fail until the job waits for another attempt, with its upload begun.
async function leaveUpload(harness: Harness) {
  const { sandbox, producer } = harness;
  for (const bucket of ["in", "out"]) sandbox.createBucket(bucket);
  sandbox.put("in", "a", Buffer.alloc(12 * MIB, "a"));
  sandbox.fault({ kind: "status", status: 500, operation: "UploadPartCopy" });
  const input = { object: { bucket: "in", key: "a" }, destination: { bucket: "out", key: "b" } };
  const job = await producer.enqueue("copy-object", input, { backoff: { type: "fixed", delay: 3_600_000 } });
  await expect.poll(() => job.state(), { timeout: 30_000 }).toBe("delayed");
  expect(sandbox.uploads("out")).toHaveLength(1);
  return job;
}

const env = { BUCKETLINE_MULTIPART_THRESHOLD: "5MiB", BUCKETLINE_COPY_PART_SIZE: "5MiB" };

test("a job that is cancelled while it waits for another attempt leaves no multipart upload", async () => {
  const harness = await startHarness({ env });
  onTestFinished(() => harness.close());
  const job = await leaveUpload(harness);
  expect(await job.cancel()).toBe(true);
  expect(await job.state()).toBe("cancelled");
  await expect.poll(() => harness.sandbox.uploads("out"), { timeout: 10_000 }).toEqual([]);
  await expect(job.result({ timeout: 10_000 })).rejects.toMatchObject({ code: "Cancelled" });
  expect(await job.state()).toBe("cancelled");
  expect(harness.sandbox.object("out", "b")).toBeUndefined();
  expect(harness.sandbox.object("in", "a")).toBeDefined();
});

test("one whose upload nobody began is removed, and no worker takes it", async () => {
  const harness = await startHarness();
  onTestFinished(() => harness.close());
  const job = await harness.producer.enqueue(
    "copy-object",
    {
      object: { bucket: "in", key: "a" },
      destination: { bucket: "out" },
    },
    { delay: 3_600_000 },
  );
  expect(await job.cancel()).toBe(true);
  expect(await job.state()).toBe("cancelled");
  expect(harness.sandbox.log).toHaveLength(0);
});
