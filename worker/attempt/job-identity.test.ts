import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { expect, onTestFinished } from "vitest";
import { claimAll, makeClaim } from "../../producer/jobs/idempotency.ts";
import { redisKeys } from "../../redis/keys.ts";
import { type Harness, test } from "../../test/harness.ts";

const OLD = new Date(Date.now() - 60_000);

/** As an app that names its jobs itself, in whatever language. */
function openQueue({ config, prefix }: Harness, name: string) {
  const connection = new Redis(config.redis, { maxRetriesPerRequest: null });
  const queue = new Queue(name, { connection, prefix });
  onTestFinished(async () => {
    await queue.close();
    connection.disconnect();
  });
  return { queue, connection };
}

test("a job whose id comes again works on what it was asked, and on nothing that the first one remembered", async ({
  harness,
  sandbox,
}) => {
  sandbox.createBucket("ids");
  const { queue } = openQueue(harness, "move-object");
  const run = async (key: string) => {
    const input = { object: { bucket: "ids", key }, destination: { bucket: "ids", key: `moved-${key}` } };
    await queue.add("move-object", input, { jobId: "nightly", attempts: 1 });
    const job = harness.producer.job("move-object", "nightly");
    const end = await job.result({ timeout: 15_000 }).then(
      () => "completed",
      (error: { code: string }) => error.code,
    );
    await queue.remove("nightly");
    return end;
  };
  sandbox.put("ids", "first", "FIRST", { lastModified: OLD });
  sandbox.put("ids", "second", "SECOND", { lastModified: OLD });
  const denied = sandbox.fault({ kind: "status", operation: "DeleteObject", status: 403, code: "AccessDenied" });
  expect(await run("first")).toBe("AccessDenied");
  denied.remove();
  expect(await run("second")).toBe("completed");
  expect([sandbox.text("ids", "first"), sandbox.text("ids", "moved-second")]).toEqual(["FIRST", "SECOND"]);
  // The same input again, about another object under the same name.
  sandbox.put("ids", "second", "THIRD", { lastModified: OLD });
  expect(await run("second")).toBe("completed");
  expect([sandbox.text("ids", "second"), sandbox.text("ids", "moved-second")]).toEqual([undefined, "THIRD"]);
});

test("a job whose producer died before it noted that the job was added does not run a second time", async ({
  harness,
  sandbox,
}) => {
  sandbox.createBucket("claimed");
  const { queue, connection } = openQueue(harness, "list-objects");
  const keys = redisKeys(harness.prefix);
  const input = { bucket: "claimed", prefix: "" };
  const claim = makeClaim("list-objects", "nightly", input);
  await claimAll(connection, keys, { claims: [claim], by: "a producer that dies now" });
  await queue.add("list-objects", input, { jobId: claim.jobId });
  await harness.producer.job("list-objects", claim.jobId).result({ timeout: 15_000 });
  // Its job is cleaned up; the claim alone remembers it.
  await queue.remove(claim.jobId);
  expect(await connection.hget(keys.idempotency("list-objects", claim.jobId), "state")).toBe("added");
  await harness.producer.enqueue("list-objects", { bucket: "claimed" }, { idempotencyKey: "nightly" }).catch(() => {});
  expect(await queue.getJob(claim.jobId)).toBeUndefined();
});
