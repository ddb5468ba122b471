import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { expect, expectTypeOf, onTestFinished, test, vi } from "vitest";
import { freePort } from "../../cli/free-port.ts";
import type { S3Object } from "../../jobs/contracts.ts";
import { startRedis } from "../../sandbox/start-redis.ts";
import { redisUrl } from "../../test/fixtures.ts";
import { createProducer } from "../create.ts";
import type { ProducerOptions } from "../options.ts";
import type { EnqueueOptions } from "./options.ts";
import { anObject, inlineList, setUp, startWorker } from "../protocol-worker.fixture.ts";

function queueOf({ url, prefix }: { readonly url: string; readonly prefix: string }, name: string): Queue {
  const queue = new Queue(name, { connection: { url }, prefix });
  onTestFinished(() => queue.close());
  return queue;
}

test("puts the input on the activity's queue, as any BullMQ client would", async () => {
  const bench = setUp();
  const { id } = await bench.producer.enqueue("list-objects", { bucket: "in-1", prefix: "a/" });
  const job = await queueOf(bench, "list-objects").getJob(id);
  expect(job).toMatchObject({
    name: "list-objects",
    data: { bucket: "in-1", prefix: "a/" },
    opts: {
      attempts: 5,
      backoff: { type: "bucketline" },
      removeOnComplete: { age: 86_400, count: 100_000 },
      removeOnFail: { age: 604_800, count: 100_000 },
    },
  });
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
});

test("accepts an entity of a listing as an object, and leaves its other fields out", async () => {
  const bench = setUp();
  const { id } = await bench.producer.enqueue("delete-object", { object: { ...anObject("a.txt"), bucket: "in-1" } });
  const job = await queueOf(bench, "delete-object").getJob(id);
  expect(job?.data).toEqual({ object: { bucket: "in-1", key: "a.txt" } });
});

test("passes delay, priority, attempts and backoff on", async () => {
  const bench = setUp();
  const { id } = await bench.producer.enqueue(
    "head-bucket",
    { bucket: "in-1" },
    { delay: 60_000, priority: 7, attempts: 2, backoff: { type: "fixed", delay: 5 } },
  );
  const job = await queueOf(bench, "head-bucket").getJob(id);
  expect(job?.opts).toMatchObject({
    delay: 60_000,
    priority: 7,
    attempts: 2,
    backoff: { type: "fixed", delay: 5 },
  });
  expect(await bench.producer.job("head-bucket", id).state()).toBe("delayed");
});

test.each<[EnqueueOptions, string]>([
  [{ delay: -1 }, "delay"],
  [{ delay: 1.5 }, "delay"],
  [{ priority: 2_097_152 }, "priority"],
  [{ attempts: 0 }, "attempts"],
  [{ idempotencyKey: "" }, "idempotencyKey"],
  [{ idempotencyKey: "k".repeat(257) }, "idempotencyKey"],
  // BullMQ would apply it to every job of the queue.
  [{ removeOnComplete: true } as EnqueueOptions, "removeOnComplete"],
  [{ jobId: "mine" } as EnqueueOptions, "jobId"], // what JavaScript callers can do
])("refuses the option %o", async (options, field) => {
  const { producer, client, prefix } = setUp();
  await expect(producer.enqueue("head-bucket", { bucket: "in-1" }, options)).rejects.toMatchObject({
    code: "InvalidInput",
    field,
  });
  expect(await client.keys(`${prefix}:*`)).toEqual([]);
});

test("refuses a wrong input before it is sent, naming field, expectation and value", async () => {
  const { producer, client, prefix } = setUp();
  await expect(
    producer.enqueue("copy-object", { object: { bucket: "in-1", key: "a" }, destination: { bucket: "a b" } }),
  ).rejects.toMatchObject({
    code: "InvalidInput",
    field: "destination.bucket",
    message: expect.stringMatching(
      /^InvalidInput: copy-object: destination\.bucket: expected a bucket name: .*, got "a b"$/,
    ) as string,
  });
  expect(await client.keys(`${prefix}:*`)).toEqual([]);
});

test("names every activity where an unknown one is asked for", async () => {
  const { producer } = setUp();
  const unknown = "list-object" as "list-objects"; // what JavaScript callers can do
  await expect(producer.enqueue(unknown, { bucket: "in-1" })).rejects.toMatchObject({
    code: "UnknownActivity",
    message: expect.stringMatching(/list-buckets, .*validate-credentials; got "list-object"/) as string,
  });
  expect(() => producer.job("constructor" as "list-objects", "1")).toThrow("UnknownActivity");
});

test("runs an activity and returns its typed result", async () => {
  const bench = setUp();
  await startWorker(bench, "list-objects", async () => inlineList("a", "b"));
  const listed = await bench.producer.run("list-objects", { bucket: "in-1" }, { timeout: 10_000 });
  expectTypeOf(listed.objects).toEqualTypeOf<readonly S3Object[]>();
  expect(listed.objects.map(({ key }) => key)).toEqual(["a", "b"]);
});

test("adds many jobs in the inputs' order", async () => {
  const bench = setUp();
  const inputs = Array.from({ length: 2500 }, (_, index) => ({ object: { bucket: "in-1", key: `k${index}` } }));
  const jobs = await bench.producer.enqueueMany("delete-object", inputs, { attempts: 3 });
  const queue = queueOf(bench, "delete-object");
  expect(await queue.getWaitingCount()).toBe(2500);
  const last = await queue.getJob(jobs[2499]?.id ?? "");
  expect(last).toMatchObject({ data: { object: { key: "k2499" } }, opts: { attempts: 3 } });
  expect(await bench.producer.enqueueMany("delete-object", [])).toEqual([]);
});

test("names every bad input of many, and adds none", async () => {
  const { producer, client, prefix } = setUp();
  const inputs = [{ bucket: "in-1" }, { bucket: "a b" }, { bucket: "in-3" }, { bucket: "in-4", prefx: "a" }];
  await expect(producer.enqueueMany("list-objects", inputs)).rejects.toMatchObject({
    code: "InvalidInput",
    field: "inputs[1].bucket",
    message: expect.stringMatching(
      /2 of 4 inputs are wrong, at 1, 3; inputs\[1\]: .*bucket.*; inputs\[3\]: .*prefx/,
    ) as string,
  });
  expect(await client.keys(`${prefix}:*`)).toEqual([]);
});

test("gives each of many jobs its own idempotency key", async () => {
  const bench = setUp();
  const { producer } = bench;
  const inputs = ["a", "b", "a"].map((key) => ({ object: { bucket: "in-1", key } }));
  const options = { idempotencyKey: ({ object }: (typeof inputs)[number]) => `delete ${object.key}` };
  const [a, b, again] = await producer.enqueueMany("delete-object", inputs, options);
  expect(again?.id).toBe(a?.id);
  expect(b?.id).not.toBe(a?.id);
  await producer.enqueueMany("delete-object", inputs, options);
  expect(await queueOf(bench, "delete-object").getWaitingCount()).toBe(2);
});

test("refuses one idempotency key for two inputs of one call, and adds none", async () => {
  const { producer, client, prefix } = setUp();
  const inputs = ["a", "b"].map((key) => ({ object: { bucket: "in-1", key } }));
  await expect(producer.enqueueMany("delete-object", inputs, { idempotencyKey: () => "same" })).rejects.toMatchObject({
    code: "IdempotencyConflict",
    message: expect.stringContaining("inputs[1]") as string,
  });
  expect(await client.keys(`${prefix}:*`)).toEqual([]);
});

test("rejects with RedisUnavailable within the timeout where nothing listens", async () => {
  const { producer } = setUp({ redis: `redis://127.0.0.1:${await freePort(0)}`, redisTimeout: 300 });
  const started = performance.now();
  await expect(producer.enqueue("head-bucket", { bucket: "in-1" })).rejects.toMatchObject({
    code: "RedisUnavailable",
    retryable: true,
    message: expect.stringContaining("ECONNREFUSED") as string,
  });
  expect(performance.now() - started).toBeLessThan(3000);
});

test("rejects with RedisUnavailable within the timeout where a server never answers", async () => {
  const server = createServer(() => {}).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo; // it listens on TCP
  const { producer } = setUp({ redis: `redis://127.0.0.1:${port}`, redisTimeout: 300 });
  await expect(producer.enqueue("head-bucket", { bucket: "in-1" })).rejects.toMatchObject({ code: "RedisUnavailable" });
});

test("survives a Redis that comes back in time", async () => {
  const redis = await startRedis({ appendonly: true, appendfsync: "always" });
  onTestFinished(() => redis.stop());
  const bench = setUp({ url: redis.url });
  await bench.producer.enqueue("head-bucket", { bucket: "in-1" });
  await redis.kill();
  const adding = bench.producer.enqueue("head-bucket", { bucket: "in-2" });
  await redis.restart();
  const { id } = await adding;
  expect(await bench.producer.job("head-bucket", id).state()).toBe("waiting");
});

test("waits for a Redis that is full to take the job, as long as there is time", async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const { producer, client } = setUp({ url: redis.url });
  await producer.enqueue("head-bucket", { bucket: "in-1" });
  await client.config("SET", "maxmemory", "1");
  const adding = producer.enqueue("head-bucket", { bucket: "in-2" });
  await vi.waitFor(async () => expect(await client.info("errorstats")).toContain("errorstat_OOM"), 5000);
  await client.config("SET", "maxmemory", "0");
  expect(await (await adding).state()).toBe("waiting");
});

test("rejects with RedisRefused, in Redis's own words, where the user may not do it", async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const { client } = setUp({ url: redis.url });
  await client.call("ACL", "SETUSER", "app", "on", ">secret", "~*", "&*", "+@all", "-evalsha", "-eval");
  const { producer } = setUp({ redis: redis.url.replace("//", "//app:secret@") });
  await expect(producer.enqueue("head-bucket", { bucket: "in-1" })).rejects.toMatchObject({
    code: "RedisRefused",
    message: expect.stringContaining("NOPERM") as string,
  });
});

test("leaves an ioredis instance that it was given open", async () => {
  const { client, prefix } = setUp();
  const { producer } = setUp({ redis: client, prefix });
  const job = await producer.enqueue("head-bucket", { bucket: "in-1" });
  await expect(job.result({ timeout: 100 })).rejects.toMatchObject({ code: "WaitTimeout" });
  const listeners = () => client.eventNames().map((name) => [name, client.listenerCount(name)]);
  await producer.close();
  expect(await client.ping()).toBe("PONG");
  expect(listeners()).toEqual([["error", 1]]);
  await expect(producer.enqueue("head-bucket", { bucket: "in-1" })).rejects.toMatchObject({ code: "ProducerClosed" });
});

test("refuses a URL that is none of Redis, and never repeats it, for it may hold a password", () => {
  for (const redis of ["http://:secret@host", "nonsense secret"]) {
    expect(() => setUp({ redis })).toThrow(/^InvalidInput: redis: expected redis:\/\/\[user:password@\]host/);
    expect(() => setUp({ redis })).not.toThrow(/secret/);
  }
});

test("never repeats what may be secret in an error", async () => {
  const { producer } = setUp();
  const secret = "s3cr3t";
  const inputs = [
    { bucket: "in-1", credentials: { sealed: "", secretAccessKey: secret } },
    { bucket: "in-1", credentials: `${secret} ` },
    { bucket: "in-1", credentials: [secret] },
  ];
  for (const input of inputs) {
    const wrong = producer.enqueue("list-objects", input as { bucket: string }); // what JavaScript callers can do
    const error = await wrong.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "InvalidInput", field: expect.stringMatching(/^credentials/) as string });
    expect(String(error)).not.toContain(secret);
  }
});

test.each<[string, unknown, string | undefined]>([
  ["no options", undefined, undefined],
  ["null", null, undefined],
  ["no Redis", {}, "redis"],
  ["an undefined Redis", { redis: undefined }, "redis"],
  ["a number as Redis", { redis: 42 }, "redis"],
  ["an unknown option", { redis: redisUrl(), redisTimeOut: 5 }, "redisTimeOut"],
  ["a number as documents", { redis: redisUrl(), documents: 42 }, "documents"],
  ["a prefix with a colon", { redis: redisUrl(), prefix: "a:b" }, "prefix"],
  ["a prefix that starts with a dot", { redis: redisUrl(), prefix: ".a" }, "prefix"],
  ["too long a prefix", { redis: redisUrl(), prefix: "a".repeat(65) }, "prefix"],
])("a producer with %s is refused", (_what, options, field) => {
  const make = () => createProducer(options as ProducerOptions); // wrong on purpose
  expect(make).toThrow(expect.objectContaining({ code: "InvalidInput", field }) as Error);
  expect(make).toThrow(/createProducer/);
});

test.each(["events", "wait", "meta", "id", "stalled-check", "repeat"])("%s is no job's id", (id) => {
  const { producer } = setUp();
  expect(() => producer.job("head-bucket", id)).toThrow(/^InvalidInput: job id: expected the id of a job/);
});

test("a database that Redis does not have is refused, rather than left for database 0", async () => {
  const bench = setUp();
  const { producer } = setUp({ url: `${redisUrl()}/99`, prefix: bench.prefix });
  await expect(producer.enqueue("head-bucket", { bucket: "in-1" })).rejects.toMatchObject({
    code: "RedisRefused",
    retryable: false,
    message: expect.stringContaining("DB index") as string,
  });
  expect(await bench.client.keys(`${bench.prefix}:*`)).toEqual([]);
});

test("a wrong password and a missing one are refusals that say what to set", async () => {
  await using server = await startRedis();
  const admin = new Redis(server.url);
  onTestFinished(() => admin.disconnect());
  await admin.config("SET", "requirepass", "right");
  const refused = [
    [server.url, /NOAUTH: this Redis asks for a password/],
    [server.url.replace("://", "://:wrong@"), /WRONGPASS: this Redis does not take the user or the password/],
  ] as const;
  for (const [url, message] of refused) {
    const producer = createProducer({ redis: url, redisTimeout: 500 });
    await expect(producer.enqueue("head-bucket", { bucket: "in-1" })).rejects.toMatchObject({
      code: "RedisRefused",
      message: expect.stringMatching(message) as string,
      retryable: false,
    });
    await producer.close();
  }
});

test("run with a timeout that is none sends nothing", async () => {
  const { producer, client, prefix } = setUp();
  for (const timeout of [-1, Number.NaN, "5"])
    await expect(
      producer.run("head-bucket", { bucket: "in-1" }, { timeout: timeout as number }), // wrong on purpose
    ).rejects.toMatchObject({ code: "InvalidInput", field: "timeout" });
  expect(await client.keys(`${prefix}:*`)).toEqual([]);
});

test.each([{ metadata: { a: "x\ud800" } }, { tags: { a: "x\ud800" } }, { tags: { "a\ud800": "x" } }])(
  "half a surrogate pair in metadata or tags is refused: %j",
  async (extra) => {
    const { producer } = setUp();
    const document = aDocument("a.txt");
    await expect(producer.enqueue("put-object", { bucket: "in-1", document, ...extra })).rejects.toMatchObject({
      code: "InvalidInput",
    });
  },
);

test("a document's name that cannot be a key is told as such", async () => {
  const { producer } = setUp();
  const document = aDocument("../a.txt");
  await expect(producer.enqueue("put-object", { bucket: "in-1", document })).rejects.toMatchObject({
    code: "InvalidInput",
    field: "document.name",
    message: expect.stringContaining('got "../a.txt"') as string,
  });
  await producer.enqueue("put-object", { bucket: "in-1", document, key: "a.txt" });
});

function aDocument(name: string) {
  return {
    id: "d1",
    name,
    size: 1,
    contentType: "text/plain",
    sha256: "0".repeat(64),
    expiresAt: "2030-01-01T00:00:00.000Z",
    deleteAfterDownload: true,
  };
}
