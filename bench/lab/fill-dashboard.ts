import type { Redis } from "ioredis";
import { groupId } from "../../jobs/failures.ts";
import type { Producer } from "../../producer/index.ts";
import { redisKeys } from "../../redis/keys.ts";

/** Jobs in each of three states: waiting, failed, completed. */
export const JOBS = 100_000;
export const BATCHES = 1000;
export const PREFIX = "bench";

/** As BullMQ and a worker leave jobs behind, without running them. */
export async function fillJobs(into: Redis): Promise<void> {
  const key = (name: string) => `${PREFIX}:copy-object:${name}`;
  const now = Date.now();
  const opts = JSON.stringify({ attempts: 5, backoff: { type: "bucketline" } });
  const error = JSON.stringify({
    code: "NoSuchKey",
    message: "NoSuchKey: no object s3://in/a",
    retryable: false,
    httpStatus: 404,
  });
  for (let start = 0; start < JOBS; start += 5000) {
    const pipeline = into.pipeline();
    for (let i = start; i < start + 5000; i++) {
      const data = JSON.stringify({ object: { bucket: "in", key: `folder/${i}.jpg` }, destination: { bucket: "out" } });
      // Spread over the day that completed jobs are kept for.
      const finishedOn = now - Math.floor((i / JOBS) * 86_000_000);
      const common = { name: "copy-object", data, opts, timestamp: finishedOn - 50, delay: 0, priority: 0 };
      const ended = { ...common, processedOn: finishedOn - 20, finishedOn, atm: 1, ats: 1 };
      pipeline.hset(key(`wait-${i}`), { ...common, timestamp: now });
      pipeline.lpush(key("wait"), `wait-${i}`);
      pipeline.hset(key(`failed-${i}`), {
        ...ended,
        failedReason: "NoSuchKey: no object s3://in/a",
        error,
        stacktrace: "[]",
      });
      pipeline.zadd(key("failed"), finishedOn, `failed-${i}`);
      pipeline.hset(key(`completed-${i}`), { ...ended, returnvalue: '{"success":true,"verified":"etag"}' });
      pipeline.zadd(key("completed"), finishedOn, `completed-${i}`);
    }
    await pipeline.exec();
  }
}

/** Failed jobs in groups, as workers note them: the largest holds half of all. */
export async function fillProblems(into: Redis): Promise<string> {
  const keys = redisKeys(PREFIX);
  const now = Date.now();
  const groups = ["in", "out", "photos", "logs", "archive"].map((bucket) =>
    groupId({ activity: "copy-object", code: "NoSuchKey", bucket, profile: "default" }),
  );
  const [largest = ""] = groups;
  for (const [index, id] of groups.entries()) {
    const shared = { activity: "copy-object", code: "NoSuchKey", bucket: "in", profile: "default" };
    await into.hset(keys.failure(id), {
      ...shared,
      first: now - 86_400_000,
      last: now,
      count: JOBS / 2,
      example: "failed-1",
    });
    await into.zadd(keys.failures(), now - index, id);
  }
  for (let start = 0; start < JOBS; start += 5000) {
    const pipeline = into.pipeline();
    for (let i = start; i < start + 5000; i++) {
      const id = i % 2 === 0 ? largest : (groups[1 + ((i >> 1) % 4)] ?? largest);
      pipeline
        .zadd(keys.failedJobs(id), now - i, `failed-${i}`)
        .hset(keys.job("copy-object", `failed-${i}`), "failure", id);
    }
    await pipeline.exec();
  }
  return largest;
}

/** Batches that wait for a worker. The id of the last. */
export async function fillBatches(producer: Producer): Promise<string> {
  let last = "";
  for (let i = 0; i < BATCHES; i++) {
    const source = { bucket: "in", prefix: `${i}/` };
    const { id } = await producer.batches.start({ operation: "copy", source, destination: { bucket: "out" } });
    last = id;
  }
  return last;
}
