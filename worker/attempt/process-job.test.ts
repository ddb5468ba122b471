import type { Job } from "bullmq";
import { Redis } from "ioredis";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { ActivityError } from "../../model/activity-error.ts";
import { redisKeys } from "../../redis/keys.ts";
import { redisUrl, uniquePrefix } from "../../test/fixtures.ts";
import { startCancellation } from "./cancellation.ts";
import { createProcessor, type ProcessorDeps } from "./process-job.ts";

test("a run that lost its lock leaves what another worker wrote of the job's end", async () => {
  const redis = new Redis(redisUrl(), { maxRetriesPerRequest: null });
  onTestFinished(() => redis.disconnect());
  const keys = redisKeys(uniquePrefix());
  const log = pino({ level: "silent" });
  const cancellation = await startCancellation(redis, keys, () => {});
  onTestFinished(() => cancellation.close());
  const onAttempt = () => {};
  const deps = { redis, keys, cancellation, log, operationTimeoutMs: 10_000, onAttempt } as unknown as ProcessorDeps; // it gets no further than its input
  const { process, running } = createProcessor("head-object", deps);
  const hash = keys.job("head-object", "j1");
  await redis.hset(hash, { timestamp: "1", error: "of the other worker" });
  const job = { id: "j1", data: {}, opts: {}, attemptsMade: 0 } as unknown as Job; // all that is read before
  const run = process(job, "token");
  running.abort("j1", new ActivityError("LockLost", "runs elsewhere by now", { retryable: true }));
  await expect(run).rejects.toMatchObject({ name: "WaitingError" });
  expect(await redis.hget(hash, "error")).toBe("of the other worker");
});
