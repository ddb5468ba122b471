import { Redis } from "ioredis";
import { expect, vi } from "vitest";
import type { ActivityInput } from "../jobs/contracts.ts";
import { redisKeys } from "../redis/keys.ts";
import { redisUrl } from "./fixtures.ts";
import { startHarness, test } from "./harness.ts";

/** What an app might pass by mistake, past the types. */
const unchecked = (input: unknown) => input as ActivityInput<"list-objects">;

test("wrong types, unknown fields and missing ones are refused before anything is sent, by name", async ({ run }) => {
  const wrong: [unknown, string, string][] = [
    [{ bucket: 7 }, "bucket", "expected string"],
    [{}, "bucket", "expected string"],
    [{ bucket: "abc", limt: 3 }, "limt", 'unknown field "limt"; did you mean limit?'],
    [{ bucket: "b", limit: 0 }, "limit", ">0"],
    [{ bucket: "b", limit: 1.5 }, "limit", "expected int"],
    [{ bucket: "arn:aws:s3:::b" }, "bucket", "expected a bucket name"],
    [{ bucket: "b", credentials: { accessKeyId: "AKIASECRET" } }, "credentials", "expected"],
    [null, "", "expected object"],
  ];
  for (const [input, field, expected] of wrong) {
    const failed = await run("list-objects", unchecked(input)).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: "InvalidInput", ...(field !== "" && { field }) });
    expect(String(failed)).toContain(expected);
    expect(String(failed)).not.toContain("AKIASECRET");
  }
});

test("a job that another language wrote is checked by the worker just as strictly", async ({ harness }) => {
  const { Queue } = await import("bullmq");
  const queue = new Queue("copy-object", { connection: { url: redisUrl() }, prefix: harness.prefix });
  const job = await queue.add(
    "copy-object",
    { object: { bucket: "b" }, destination: { bucket: "c" }, extra: 1 },
    { jobId: "foreign-1" },
  );
  await expect(harness.producer.job("copy-object", job.id ?? "").result({ timeout: 5000 })).rejects.toMatchObject({
    code: "InvalidInput",
    field: "object.key",
  });
  await queue.close();
});

test("a job that another language wrote without options is retried like ours", async ({ harness, sandbox }) => {
  const { Queue } = await import("bullmq");
  sandbox.createBucket("foreign");
  sandbox.put("foreign", "a", "x");
  const fault = sandbox.fault({ operation: "HeadObject", bucket: "foreign", kind: "status", status: 500, times: 4 });
  const queue = new Queue("head-object", { connection: { url: redisUrl() }, prefix: harness.prefix });
  await queue.add("head-object", { object: { bucket: "foreign", key: "a" } }, { jobId: "foreign-2" });
  const { object } = await harness.producer.job("head-object", "foreign-2").result({ timeout: 15_000 });
  expect(object.size).toBe(1);
  expect(fault.hits).toBe(4);
  await queue.close();
});

test("unknown profiles, sealed credentials without keys, and denied buckets are refused without a request", async () => {
  const allow = [{ activities: ["list-objects", "copy-object"], buckets: ["open-*"] }];
  const harness = await startHarness({ profiles: { limited: { allow } } });
  try {
    const { run, sandbox } = harness;
    const list = (credentials: string | { sealed: string }, bucket: string) =>
      run("list-objects", { bucket, credentials });
    await expect(list("nobody", "open-1")).rejects.toMatchObject({ code: "UnknownProfile" });
    await expect(list({ sealed: "a.b.c.d.e" }, "open-1")).rejects.toMatchObject({ retryable: false });
    await expect(list("limited", "closed")).rejects.toMatchObject({ code: "PolicyDenied" });
    await expect(
      run("copy-object", {
        credentials: "limited",
        object: { bucket: "open-1", key: "a" },
        destination: { bucket: "closed", key: "a" },
      }),
    ).rejects.toMatchObject({ code: "PolicyDenied", message: expect.stringContaining("closed") });
    expect(sandbox.calls()).toBe(0);
  } finally {
    await harness.close();
  }
});

test("an endpoint that is down is retried and then named", async () => {
  const harness = await startHarness({ profiles: { down: { endpoint: "http://127.0.0.1:9" } } });
  try {
    const job = await harness.producer.enqueue("list-buckets", { credentials: "down" }, { attempts: 2 });
    await expect(job.result({ timeout: 15_000 })).rejects.toMatchObject({
      retryable: true,
      message: expect.stringContaining("127.0.0.1:9"),
    });
  } finally {
    await harness.close();
  }
});

test("a document that expired or never was fails the upload by name, and nothing is written", async ({
  harness,
  sandbox,
  run,
}) => {
  sandbox.createBucket("docs");
  const document = await harness.producer.documents.write("x", { name: "a", ttl: 1 });
  await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(Date.parse(document.expiresAt)), { timeout: 3000 });
  await expect(run("put-object", { bucket: "docs", document })).rejects.toMatchObject({ code: "DocumentExpired" });
  const never = { ...document, id: "never-was", expiresAt: new Date(Date.now() + 60_000).toISOString() };
  await expect(run("put-object", { bucket: "docs", document: never })).rejects.toMatchObject({
    code: "DocumentNotFound",
  });
  expect(sandbox.keys("docs")).toEqual([]);
});

test("malformed jobs written straight into Redis are put aside; the worker and listings go on", async ({
  harness,
  sandbox,
  run,
}) => {
  const { Queue } = await import("bullmq");
  sandbox.createBucket("well");
  const redis = new Redis(redisUrl());
  const base = `${harness.prefix}:list-objects`;
  const queue = new Queue("list-objects", { connection: redis, prefix: harness.prefix });
  const broken = { "bad-data": { data: "{not json" }, "bad-opts": { data: "{}", opts: "[[" } };
  for (const [id, fields] of Object.entries(broken)) {
    await redis.hset(`${base}:${id}`, {
      name: "list-objects",
      opts: "{}",
      timestamp: Date.now(),
      delay: 0,
      priority: 0,
      ...fields,
    });
    await redis.lpush(`${base}:wait`, id);
  }
  // A marker wakes the worker, as adding a job does.
  await redis.zadd(`${base}:marker`, 0, "0");
  for (const id of Object.keys(broken))
    await expect(harness.producer.job("list-objects", id).result({ timeout: 20_000 })).rejects.toMatchObject({
      code: "MalformedJob",
    });
  expect((await run("list-objects", { bucket: "well" })).count).toBe(0);
  expect((await queue.getJobs(["failed", "active", "waiting"])).length).toBeGreaterThanOrEqual(2);
  const kept = await redis.hgetall(redisKeys(harness.prefix).quarantine());
  expect(kept["list-objects/bad-data"]).toContain("{not json");
  expect(await redis.llen(`${base}:active`)).toBe(0);
  await queue.close();
  redis.disconnect();
}, 40_000);
