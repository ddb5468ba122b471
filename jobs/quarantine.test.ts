import { Queue } from "bullmq";
import { pino } from "pino";
import { expect, onTestFinished, test, vi } from "vitest";
import { createProducer } from "../producer/create.ts";
import { openTestRedis, redisUrl, uniquePrefix } from "../test/fixtures.ts";
import { startActivityWorker } from "../worker/queues/activity-worker.ts";
import { createRunning } from "../worker/attempt/running.ts";
import { quarantineMalformed } from "./quarantine.ts";
import { redisKeys } from "../redis/keys.ts";

const QUEUE = "head-bucket";
const WELL_FORMED = {
  name: QUEUE,
  data: '{"bucket":"abc"}',
  opts: "{}",
  timestamp: "1",
  delay: "0",
  priority: "0",
};

const MALFORMED: Readonly<Record<string, Readonly<Record<string, string>> | string>> = {
  "options that are null": { ...WELL_FORMED, opts: "null" },
  "options that are an array": { ...WELL_FORMED, opts: "[1]" },
  "a parent that is null": { ...WELL_FORMED, parent: "null" },
  "attempts made that are no number": { ...WELL_FORMED, atm: "many" },
  "attempts started that are no number": { ...WELL_FORMED, ats: "1.5" },
  "stalls that are no number": { ...WELL_FORMED, stc: "x" },
  "a schedule without its rule": { ...WELL_FORMED, rjk: "nightly" },
  "data that is not JSON": { ...WELL_FORMED, data: "{bad" },
  "a string where its hash should be": "raw text",
};

function setUp() {
  const prefix = uniquePrefix();
  const redis = openTestRedis();
  onTestFinished(() => redis.disconnect());
  const base = `${prefix}:${QUEUE}`;
  const push = async (id: string, job: Readonly<Record<string, string>> | string) => {
    if (typeof job === "string") await redis.set(`${base}:${id}`, job);
    else await redis.hset(`${base}:${id}`, job);
    await redis.lpush(`${base}:wait`, id);
  };
  const startWorker = () => {
    const done: string[] = [];
    const worker = startActivityWorker({
      queue: QUEUE,
      redis,
      prefix,
      concurrency: 2,
      retention: { completed: { age: 60, count: 100 }, failed: { age: 60, count: 100 } },
      log: pino({ level: "silent" }),
      trouble: () => {},
      process: async (job) => void done.push(job.id ?? ""),
      running: createRunning(QUEUE),
      recovery: { lockDuration: 300, stalledInterval: 100, runRetryDelay: 10 },
    });
    onTestFinished(() => worker.close());
    return done;
  };
  return { prefix, redis, base, push, startWorker, record: redisKeys(prefix).quarantine() };
}

test.each(Object.entries(MALFORMED))("a worker puts a job with %s aside and goes on", async (_what, job) => {
  const { prefix, redis, base, push, startWorker, record } = setUp();
  await push("x", job);
  const done = startWorker();
  await vi.waitFor(async () => expect(await redis.hexists(record, `${QUEUE}/x`)).toBe(1), { timeout: 10_000 });
  await push("y", WELL_FORMED);
  await redis.zadd(`${base}:marker`, 0, "0");
  await vi.waitFor(() => expect(done).toContain("y"), { timeout: 10_000 });
  expect(await redis.llen(`${base}:active`)).toBe(0);
  const queue = new Queue(QUEUE, { connection: redis, prefix });
  const [failed] = await queue.getFailed();
  expect(failed).toMatchObject({ id: "x", name: QUEUE, failedReason: expect.stringContaining("expected") as string });
  expect(JSON.parse((await redis.hget(`${base}:x`, "error")) ?? "")).toMatchObject({ code: "MalformedJob" });
  const { raw } = JSON.parse((await redis.hget(record, `${QUEUE}/x`)) ?? "") as { raw: string };
  expect(typeof job === "string" ? [job] : Object.values(job)).toContain(raw);
  await queue.close();
});

test("takes an id that is one of BullMQ's own keys out of the lists, and leaves the key", async () => {
  const { prefix, redis, base, record } = setUp();
  await redis.set(`${base}:id`, "42");
  await redis.lpush(`${base}:wait`, "id");
  expect(await quarantineMalformed(redis, { prefix, queue: QUEUE })).toEqual(["id"]);
  expect(await redis.get(`${base}:id`)).toBe("42");
  expect(await redis.llen(`${base}:wait`)).toBe(0);
  expect(await redis.hexists(record, `${QUEUE}/id`)).toBe(1);
});

test("leaves jobs alone that can be read, those of schedules too", async () => {
  const { prefix, redis, base, push } = setUp();
  await push("x", { ...WELL_FORMED, atm: "2", ats: "3", stc: "1", parent: '{"id":"p","queueKey":"q"}' });
  const producer = createProducer({ redis: redisUrl(), prefix });
  onTestFinished(() => producer.close());
  await producer.schedule("nightly", { every: "1h" }, QUEUE, { bucket: "abc" });
  await vi.waitFor(async () => expect(await redis.zcard(`${base}:repeat`)).toBe(1));
  expect(await quarantineMalformed(redis, { prefix, queue: QUEUE })).toEqual([]);
});
