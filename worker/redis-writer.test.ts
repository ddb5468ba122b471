import { createHash, randomUUID } from "node:crypto";
import { CreateMultipartUploadCommand, S3Client } from "@aws-sdk/client-s3";
import { deflateRawSync } from "node:zlib";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { birthOf } from "../redis/health/birth.ts";
import { redisKeys } from "../redis/keys.ts";
import { createFilter } from "../batches/listing/filter.ts";
import { decodeManifest } from "../batches/state/chunk-manifest.ts";
import { createBatchStore } from "../batches/state/store.ts";
import { type Harness, type HarnessOptions, startHarness } from "../test/harness.ts";

/** Whoever writes to Redis commands the workers, within their policies and within what a job says of itself. */
let harness: Harness;
let redis: Redis;

async function start(allow: readonly object[], options: HarnessOptions = {}): Promise<void> {
  harness = await startHarness({ profile: { allow }, ...options });
  onTestFinished(() => harness.close());
  redis = new Redis(harness.config.redis);
  onTestFinished(() => redis.disconnect());
  for (const bucket of ["open-in", "open-out", "secret"]) harness.sandbox.createBucket(bucket);
  harness.sandbox.put("open-in", "a.txt", "harmless");
  harness.sandbox.put("open-in", "other.txt", "also allowed, but not asked for");
  harness.sandbox.put("secret", "payroll.csv", "the secret of somebody else");
}

const pinOf = (bucket: string, key: string) => {
  const { etag, size, lastModified } = harness.sandbox.object(bucket, key)!;
  return { bucket, key, etag, size, lastModified, storageClass: "STANDARD" };
};

/** As somebody else would begin it, past our workers. */
async function beginUpload(bucket: string, key: string): Promise<string> {
  const { endpoint, region, credentials } = harness.sandbox;
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  onTestFinished(() => client.destroy());
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: key }));
  return UploadId ?? "";
}

const INPUT = { object: { bucket: "open-in", key: "a.txt" }, destination: { bucket: "open-out", key: "b.txt" } };

/** Plants evidence, then adds the job as BullMQ would: no producer of ours has a say. */
async function plantAndRun(
  activity: "copy-object" | "move-object",
  planted: Readonly<Record<string, unknown>>,
  { input = INPUT, cancelled = false }: { readonly input?: object; readonly cancelled?: boolean } = {},
) {
  const id = `planted-${randomUUID()}`;
  const { prefix, producer } = harness;
  const queue = new Queue(activity, { connection: redis, prefix });
  onTestFinished(() => queue.close());
  // A second start of the job, which looks for evidence.
  await queue.pause();
  const timestamp = Date.now();
  const birth = birthOf({ timestamp, data: input });
  for (const [field, value] of Object.entries(planted))
    await redis.hset(redisKeys(prefix).evidence(activity, id, birth), field, JSON.stringify(value));
  if (cancelled) await redis.set(redisKeys(prefix).cancelled(activity, id), "1");
  await queue.add(activity, input, { jobId: id, attempts: 1, timestamp });
  await redis.hset(`${prefix}:${activity}:${id}`, "ats", "1");
  await queue.resume();
  const job = producer.job(activity, id);
  await vi.waitFor(async () => expect(["completed", "failed", "cancelled"]).toContain(await job.state()), {
    timeout: 15_000,
  });
  return job;
}

const touched = (bucket: string) => harness.sandbox.log.filter((request) => request.bucket === bucket);

describe("evidence that somebody planted", () => {
  beforeEach(() => start([{ activities: ["copy-object", "move-object"], buckets: ["open-*"] }]));

  test.each(["copy-object", "move-object"] as const)(
    "cannot make a %s touch what the policy denies",
    async (activity) => {
      await plantAndRun(activity, { pin: pinOf("secret", "payroll.csv") });
      expect(touched("secret")).toEqual([]);
      expect(harness.sandbox.text("open-out", "b.txt") ?? "").not.toContain("secret");
      expect(harness.sandbox.text("secret", "payroll.csv")).toBe("the secret of somebody else");
    },
  );

  test("cannot make a move delete another object than its input's, be it allowed", async () => {
    await plantAndRun("move-object", { pin: pinOf("open-in", "other.txt") });
    expect(harness.sandbox.text("open-in", "other.txt")).toBe("also allowed, but not asked for");
    expect(harness.sandbox.text("open-out", "b.txt") ?? "").not.toContain("not asked for");
  });

  test("cannot make a move delete what it writes, nor another version than its input's", async () => {
    const { sandbox } = harness;
    sandbox.createBucket("open-kept", { versioning: true });
    const { versionId } = sandbox.put("open-kept", "a.txt", "an old version");
    sandbox.put("open-kept", "a.txt", "the current one");
    const { etag, size, lastModified } = sandbox.object("open-kept", "a.txt", versionId)!;
    const old = { bucket: "open-kept", key: "a.txt", etag, size, lastModified, versionId, versionNamed: true };
    const input = {
      object: { bucket: "open-kept", key: "a.txt" },
      destination: { bucket: "open-out", key: "b.txt" },
    };
    await plantAndRun("move-object", { pin: old }, { input });
    expect(sandbox.text("open-kept", "a.txt", versionId)).toBe("an old version");

    sandbox.put("open-out", "b.txt", "what was there");
    const pin = pinOf("open-out", "b.txt");
    const of = createHash("sha256").update(JSON.stringify(pin)).digest("hex").slice(0, 16);
    await plantAndRun("move-object", { pin, copy: { ...pin, verified: "etag", of } });
    expect(sandbox.text("open-out", "b.txt")).toBeDefined();
  });

  test.each([
    ["secret", "payroll.csv"],
    ["open-out", "of-somebody-else.bin"],
    ["open-in", "a.txt"],
  ])("cannot make a job end an upload to s3://%s/%s", async (bucket, key) => {
    const uploadId = await beginUpload(bucket, key);
    const planted = { upload: { bucket, key, uploadId, partSize: 5_242_880, etag: "" } };
    await plantAndRun("copy-object", planted);
    // A cancelled job ends the upload that its earlier attempt left.
    const job = await plantAndRun("copy-object", planted, { cancelled: true });
    expect(await job.state()).toBe("cancelled");
    expect(harness.sandbox.uploads(bucket)).toHaveLength(1);
    expect(touched(bucket).filter(({ operation }) => operation === "AbortMultipartUpload")).toEqual([]);
  });

  test("ends the upload of the job's own that a cancelled job left", async () => {
    const { bucket, key } = INPUT.destination;
    const uploadId = await beginUpload(bucket, key);
    const upload = { bucket, key, uploadId, partSize: 5_242_880, etag: "" };
    await plantAndRun("copy-object", { upload }, { cancelled: true });
    expect(harness.sandbox.uploads(bucket)).toEqual([]);
  });
});

describe("a batch", () => {
  beforeEach(() => start([{ activities: ["copy-object", "list-objects"], buckets: ["open-in"] }]));

  test("into a bucket that the policy denies sends no request about it, be it there or not", async () => {
    for (const bucket of ["secret", "not-there"]) {
      const batch = await harness.producer.batches.start({
        operation: "copy",
        source: { items: [{ bucket: "open-in", key: "a.txt" }] },
        destination: { bucket },
      });
      await expect(batch.done()).rejects.toMatchObject({ code: "PolicyDenied" });
      expect(touched(bucket)).toEqual([]);
    }
  });

  test("whose request was changed in Redis lists nothing that the policy denies", async () => {
    const { producer, sandbox, prefix } = harness;
    sandbox.fault({ kind: "status", status: 503, operation: "ListObjectsV2" });
    const batch = await producer.batches.start({
      operation: "copy",
      source: { bucket: "open-in", prefix: "in/" },
      destination: { bucket: "open-in", prefix: "copies/" },
    });
    const key = `${prefix}:~batch:${batch.id}`;
    const spec = JSON.parse((await redis.hget(key, "spec")) ?? "") as { source: { bucket: string } };
    spec.source.bucket = "secret";
    // As if it had been opened: what is listed is what Redis says now.
    await redis.hset(key, { spec: JSON.stringify(spec), opened: "1", chains: "1", chainsOpen: "1", "c0:cursor": "{}" });
    const queue = new Queue("batch-chunk", { connection: redis, prefix });
    onTestFinished(() => queue.close());
    await queue.add("chunk", { kind: "chunk", batch: batch.id, chain: 0, n: 0 }, { jobId: `b-${batch.id}-0-0` });
    await expect(batch.done()).rejects.toMatchObject({ code: "PolicyDenied" });
    expect(touched("secret")).toEqual([]);
  });

  test("whose number of chains somebody wrote keeps neither Redis nor the others busy", async () => {
    const { prefix, producer } = harness;
    const store = createBatchStore(redis, prefix);
    const { id } = await producer.batches.start({
      operation: "copy",
      source: { items: [{ bucket: "open-in", key: "a.txt" }] },
      destination: { bucket: "open-in", prefix: "copies/" },
    });
    await redis.hset(`${prefix}:~batch:${id}`, { state: "running", chains: "200000", chainsOpen: "9" });
    expect((await store.wanted(id))?.nexts.length).toBeLessThanOrEqual(16);
  });

  test("whose filter or list of objects is larger than any is not worked on", async () => {
    const bomb = deflateRawSync(Buffer.alloc(64 * 1024 * 1024, " "));
    await expect(decodeManifest(bomb)).rejects.toThrow(RangeError);
    const globs = Array.from({ length: 5000 }, () => "*a".repeat(500));
    expect(() => createFilter({ include: globs })).toThrow(expect.objectContaining({ code: "InvalidInput" }));
  });
});
