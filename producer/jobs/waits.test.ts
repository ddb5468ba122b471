import { Queue } from "bullmq";
import { expect, onTestFinished, test } from "vitest";
import { ActivityError } from "../../model/activity-error.ts";
import { startRedis } from "../../sandbox/start-redis.ts";
import { createJobWaits } from "./waits.ts";
import { followed, inlineList, rejection, setUp, startWorker, warnings } from "../protocol-worker.fixture.ts";
import { openRedis } from "../../redis/connection/open.ts";

const input = { bucket: "in-1" };

async function ownRedis() {
  const redis = await startRedis({ appendonly: true, appendfsync: "always" });
  onTestFinished(() => redis.stop());
  return redis;
}

function queueOf({ client, prefix }: Pick<ReturnType<typeof setUp>, "client" | "prefix">): Queue {
  const queue = new Queue("list-objects", { connection: client, prefix });
  onTestFinished(() => queue.close());
  return queue;
}

/** Waits that are polled at another pace than a producer's. */
function waitsOf(bench: ReturnType<typeof setUp>, pollEvery: number, connection = openRedis(bench.url, 10_000)) {
  const waits = createJobWaits({ ...bench, redis: connection, pollEvery });
  onTestFinished(async () => {
    await waits.close();
    await connection.close();
  });
  return waits;
}

/** Ends a job without any event. */
async function endSilently({ client, keys }: ReturnType<typeof setUp>, id: string): Promise<void> {
  await client.hset(keys.job("list-objects", id), { finishedOn: Date.now(), returnvalue: "{}" });
}

test("rejects with the error that the worker stored", async () => {
  const bench = setUp();
  await startWorker(bench, "list-objects", async () => {
    throw new ActivityError("NoSuchBucket", "no bucket in-1", { httpStatus: 404, requestId: "4442587FB7D0A2F9" });
  });
  const job = await bench.producer.enqueue("list-objects", input);
  await expect(job.result({ timeout: 10_000 })).rejects.toMatchObject({
    name: "ActivityError",
    code: "NoSuchBucket",
    message: "NoSuchBucket: no bucket in-1 (request 4442587FB7D0A2F9)",
    httpStatus: 404,
    requestId: "4442587FB7D0A2F9",
    retryable: false,
  });
  expect(await job.state()).toBe("failed");
  expect(await job.succeeded()).toBe(false);
});

test("a job that succeeds at its second attempt succeeded, whatever the first one left behind", async () => {
  const bench = setUp();
  await startWorker(bench, "list-objects", async (job) => {
    if (job.attemptsMade === 0) throw new ActivityError("SlowDown", "too fast", { retryable: true });
    return inlineList("a");
  });
  const job = await bench.producer.enqueue("list-objects", input);
  expect(await job.result({ timeout: 10_000 })).toMatchObject({ count: 1 });
  expect(await job.succeeded()).toBe(true);
});

test("a failure of BullMQ's own is not told as the error of an earlier attempt", async () => {
  const { producer, client, keys, prefix } = setUp();
  const job = await producer.enqueue("list-objects", input);
  const key = keys.job("list-objects", job.id);
  await client.hset(key, "error", JSON.stringify(new ActivityError("SlowDown", "too fast", { retryable: true })));
  const fail = async (reason: string) => {
    await client.hset(key, "finishedOn", Date.now(), "failedReason", reason);
    await client.xadd(`${prefix}:list-objects:events`, "*", "event", "failed", "jobId", job.id, "failedReason", reason);
  };
  await fail("job stalled more than allowable limit");
  await expect(job.result()).rejects.toMatchObject({ code: "JobStalled", retryable: false });
  await fail("out of luck");
  await expect(job.result()).rejects.toMatchObject({ code: "JobFailed", message: "JobFailed: out of luck" });
});

test("a wait that times out leaves the job as it is, and it can be waited for again", async () => {
  const bench = setUp();
  const job = await bench.producer.enqueue("list-objects", input);
  await expect(job.result({ timeout: 50 })).rejects.toMatchObject({ code: "WaitTimeout", retryable: true });
  await expect(job.succeeded({ timeout: 50 })).rejects.toMatchObject({ code: "WaitTimeout" });
  await startWorker(bench, "list-objects", async () => inlineList("a"));
  expect(await job.result({ timeout: 10_000 })).toMatchObject({ count: 1 });
});

test.each([-1, Number.NaN, 2 ** 31, "5s"])("refuses the timeout %s", async (timeout) => {
  const { producer } = setUp();
  const job = producer.job("list-objects", "some-id");
  await expect(job.result({ timeout: timeout as number })).rejects.toMatchObject({
    code: "InvalidInput",
    field: "timeout",
  });
});

test("a signal ends the wait with its reason, not the job", async () => {
  const { producer } = setUp();
  const job = await producer.enqueue("list-objects", input);
  const controller = new AbortController();
  const waiting = rejection(job.result({ signal: controller.signal }));
  controller.abort(new Error("no longer interested"));
  expect(await waiting).toBe("Error: no longer interested");
  await expect(job.result({ signal: controller.signal })).rejects.toThrow("no longer interested");
  expect(await job.state()).toBe("waiting");
});

test("a job that is not in Redis has expired", async () => {
  const { producer } = setUp();
  const job = producer.job("list-objects", "long-gone");
  await expect(job.result({ timeout: 10_000 })).rejects.toMatchObject({ code: "JobExpired", retryable: false });
  await expect(job.succeeded({ timeout: 10_000 })).rejects.toMatchObject({ code: "JobExpired" });
});

test("a job that somebody removes in mid wait has expired", async () => {
  const bench = setUp();
  const job = await bench.producer.enqueue("list-objects", input);
  const waiting = rejection(job.result({ timeout: 10_000 }));
  await followed(bench);
  await queueOf(bench).remove(job.id);
  expect(await waiting).toBe("JobExpired");
});

test("a result is not lost where the job is gone before it can be read", async () => {
  const bench = setUp();
  const queue = queueOf(bench);
  await queue.add("list-objects", input, { jobId: "foreign", removeOnComplete: true, delay: 50 });
  const waiting = bench.producer.job("list-objects", "foreign").result({ timeout: 10_000 });
  await followed(bench);
  await startWorker(bench, "list-objects", async () => inlineList("a"));
  expect(await waiting).toMatchObject({ count: 1 });
});

test("a failure is not lost where the job is gone before it can be read", async () => {
  const bench = setUp();
  const queue = queueOf(bench);
  await queue.add("list-objects", input, { jobId: "foreign", removeOnFail: true, delay: 50 });
  const waiting = rejection(bench.producer.job("list-objects", "foreign").result({ timeout: 10_000 }));
  await followed(bench);
  await startWorker(bench, "list-objects", async () => {
    throw new Error("out of luck");
  });
  expect(await waiting).toBe("JobFailed");
});

test("an end whose event was missed is found by asking", async () => {
  const bench = setUp();
  const waits = waitsOf(bench, 100);
  const { id } = await bench.producer.enqueue("list-objects", input);
  const waiting = waits.wait("list-objects", id, { timeout: 10_000 });
  await followed(bench);
  await endSilently(bench, id);
  expect(await waiting).toEqual({ kind: "completed", value: {} });
});

test("an end between the first look and the first event is not missed", async () => {
  const bench = setUp();
  const { id } = await bench.producer.enqueue("list-objects", input);
  const redis = openRedis(bench.url, 10_000);
  const waits = waitsOf(bench, 60_000, {
    ...redis,
    run: async (what, operation) => {
      if (what.startsWith("follow")) await endSilently(bench, id);
      return await redis.run(what, operation);
    },
  });
  expect(await waits.wait("list-objects", id, { timeout: 5000 })).toMatchObject({ kind: "completed" });
});

test("an end during an outage is found as soon as Redis is back", async () => {
  const redis = await ownRedis();
  const bench = setUp({ url: redis.url });
  const waits = waitsOf(bench, 60_000);
  const { id } = await bench.producer.enqueue("list-objects", input);
  const waiting = waits.wait("list-objects", id, { timeout: 10_000 });
  await followed(bench);
  await endSilently(bench, id);
  await redis.kill();
  await redis.restart();
  expect(await waiting).toMatchObject({ kind: "completed" });
});

test("an event that cannot be read does not end the wait, nor the following", async () => {
  const bench = setUp();
  const waits = waitsOf(bench, 100);
  const { id } = await bench.producer.enqueue("list-objects", input);
  const waiting = waits.wait("list-objects", id, { timeout: 10_000 });
  const before = await followed(bench);
  const stream = bench.keys.job("list-objects", "events");
  await bench.client.xadd(stream, "*", "event", "completed", "jobId", "other", "returnvalue", "{");
  expect(await followed(bench)).toBe(before);
  await endSilently(bench, id);
  expect(await waiting).toEqual({ kind: "completed", value: {} });
});

test("a Redis that is killed in mid wait and comes back in time is survived", async () => {
  const redis = await ownRedis();
  const bench = setUp({ url: redis.url });
  const job = await bench.producer.enqueue("list-objects", input);
  const waiting = job.result({ timeout: 15_000 });
  await followed(bench);
  await redis.kill();
  await redis.restart();
  await startWorker(bench, "list-objects", async () => inlineList("a"));
  expect(await waiting).toMatchObject({ count: 1 });
});

test("a Redis that does not come back is told to everybody who waits", async () => {
  const redis = await ownRedis();
  const bench = setUp({ url: redis.url, redisTimeout: 500 });
  const { producer } = bench;
  const job = await producer.enqueue("list-objects", input);
  const waits = [job.result(), job.succeeded(), producer.job("list-objects", "another").result()];
  const ended = Promise.allSettled(waits);
  await followed(bench);
  const killed = performance.now();
  await redis.kill();
  const reasons = (await ended).map((end) => (end.status === "rejected" ? (end.reason as ActivityError).code : "none"));
  expect(reasons).toEqual(["RedisUnavailable", "RedisUnavailable", "JobExpired"]);
  expect(performance.now() - killed).toBeLessThan(3000);
  await expect(job.result()).rejects.toMatchObject({ code: "RedisUnavailable", retryable: true });
});

test("whoever has more time than Redis is given outlasts an outage, from the first command on", async () => {
  const redis = await ownRedis();
  const bench = setUp({ url: redis.url, redisTimeout: 500 });
  const job = await bench.producer.enqueue("list-objects", input);
  const [waiting, short] = [job.result({ timeout: 20_000 }), rejection(job.result({ timeout: 1500 }))];
  await followed(bench);
  await redis.kill();
  expect(await short).toBe("RedisUnavailable");
  const asked = bench.producer.run("list-objects", input, { timeout: 20_000 });
  await expect(bench.producer.enqueue("list-objects", input)).rejects.toMatchObject({ code: "RedisUnavailable" });
  await redis.restart();
  await startWorker(bench, "list-objects", async () => inlineList("a"));
  expect(await Promise.all([waiting, asked])).toMatchObject([{ count: 1 }, { count: 1 }]);
});

test("a Redis that hangs is noticed as well", async () => {
  const redis = await ownRedis();
  const { producer, client } = setUp({ url: redis.url, redisTimeout: 500 });
  const job = await producer.enqueue("list-objects", input);
  await client.client("PAUSE", 60_000, "ALL");
  await expect(job.result()).rejects.toMatchObject({ code: "RedisUnavailable" });
});

test("a thousand waits share one connection, and end together", async () => {
  const bench = setUp();
  const { producer } = bench;
  const jobs = await producer.enqueueMany(
    "list-objects",
    Array.from({ length: 1000 }, () => input),
  );
  const warned = warnings();
  const waiting = Promise.all(jobs.map((job) => job.result({ timeout: 15_000 })));
  await followed(bench);
  await startWorker(bench, "list-objects", async () => inlineList("a"));
  expect(await waiting).toHaveLength(1000);
  expect(warned).toEqual([]);
});

test("closing ends the waits, and is done when called twice", async () => {
  const bench = setUp();
  const { producer } = bench;
  const job = await producer.enqueue("list-objects", input);
  const waiting = rejection(job.result());
  await followed(bench);
  await Promise.all([producer.close(), producer.close()]);
  expect(await waiting).toBe("ProducerClosed");
  await expect(job.result()).rejects.toMatchObject({ code: "ProducerClosed" });
  await expect(job.state()).rejects.toMatchObject({ code: "ProducerClosed" });
});

test("the state of a job that Redis has in no list is told, and not asked for without end", async () => {
  const { producer, client, keys } = setUp();
  await client.hset(keys.job("list-objects", "lost"), { timestamp: "1", data: "{}", opts: "{}" });
  expect(await producer.job("list-objects", "lost").state()).toBe("expired");
});

test("a job that has ended has a result for whoever does not want to wait", async () => {
  const bench = setUp();
  await startWorker(bench, "list-objects", async () => inlineList("a"));
  const job = await bench.producer.enqueue("list-objects", { bucket: "in-1" });
  await job.result({ timeout: 10_000 });
  const { producer } = setUp({ prefix: bench.prefix });
  expect(await producer.job("list-objects", job.id).result({ timeout: 0 })).toMatchObject({ count: 1 });
});
