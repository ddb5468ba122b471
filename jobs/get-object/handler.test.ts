import { setTimeout as later } from "node:timers/promises";
import { randomBytes } from "node:crypto";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { expect, onTestFinished, vi } from "vitest";
import { startHarness, test } from "../../test/harness.ts";

test("downloads an object into a verified document, gone after one complete read", async ({
  sandbox,
  harness,
  run,
}) => {
  sandbox.createBucket("get");
  sandbox.put("get", "dir/a.txt", "hello", { contentType: "text/plain", metadata: { by: "me" } });
  const { document, object } = await run("get-object", { object: { bucket: "get", key: "dir/a.txt" } });
  expect(document).toMatchObject({ name: "a.txt", size: 5, contentType: "text/plain", deleteAfterDownload: true });
  expect(object).toMatchObject({ key: "dir/a.txt", metadata: { by: "me" }, contentType: "text/plain" });
  expect(await text(await harness.producer.documents.read(document))).toBe("hello");
  await expect(harness.producer.documents.read(document)).rejects.toMatchObject({ code: "DocumentNotFound" });
});

test("downloads a range", async ({ sandbox, harness, run }) => {
  sandbox.createBucket("range");
  sandbox.put("range", "a", "0123456789");
  const read = async (range: { start: number; end?: number } | { last: number }) => {
    const { document } = await run("get-object", { object: { bucket: "range", key: "a" }, range });
    return text(await harness.producer.documents.read(document));
  };
  expect(await read({ start: 2, end: 4 })).toBe("234");
  expect(await read({ last: 3 })).toBe("789");
});

test("retries a body that ends early and leaves no half document behind", async ({ sandbox, harness, run }) => {
  sandbox.createBucket("short");
  sandbox.put("short", "a", "x".repeat(100_000));
  const fault = sandbox.fault({
    operation: "GetObject",
    bucket: "short",
    kind: "truncate",
    afterBytes: 1000,
    times: 1,
  });
  const { document } = await run("get-object", { object: { bucket: "short", key: "a" } });
  expect(fault.hits).toBe(1);
  expect((await text(await harness.producer.documents.read(document))).length).toBe(100_000);
});

const MIB = 1024 ** 2;

test.each([
  ["asks only for what is missing of a large object that broke off", false],
  ["takes the whole again where what it kept is not what the store has", true],
])("%s", async (_, spoilt) => {
  const harness = await startHarness({ profile: { transfer: { threshold: 5 * MIB, concurrency: 1 } } });
  onTestFinished(() => harness.close());
  const { sandbox, producer, folder } = harness;
  sandbox.createBucket("long");
  const content = randomBytes(8 * MIB);
  sandbox.put("long", "a", content);
  sandbox.fault({ operation: "GetObject", kind: "truncate", afterBytes: 7 * MIB, times: 1 });
  const job = await producer.enqueue("get-object", { object: { bucket: "long", key: "a" } });
  if (spoilt) {
    const unfinished = join(folder, "documents", "tmp");
    await vi.waitFor(async () => expect(await readdir(unfinished)).toHaveLength(1), { timeout: 10_000 });
    await vi.waitFor(async () => expect(await job.state()).toBe("delayed"), { timeout: 10_000 });
    const [name = ""] = await readdir(unfinished);
    await using handle = await open(join(unfinished, name), "r+");
    await handle.write("spoilt", 1000);
  }
  const { document } = await job.result({ timeout: 30_000 });
  expect((await buffer(await producer.documents.read(document, { keep: true }))).equals(content)).toBe(true);
  const ranges = sandbox.log.filter(({ operation }) => operation === "GetObject").map(({ headers }) => headers.range);
  const missing = ranges.flatMap((range) => (range === undefined ? [] : [8 * MIB - Number(/(\d+)-/.exec(range)?.[1])]));
  expect(missing).toHaveLength(1);
  expect(missing[0]).toBeLessThan(2 * MIB);
  expect(ranges).toHaveLength(spoilt ? 4 : 3);
  expect(await readdir(join(folder, "documents", "tmp"))).toEqual([]);
});

test("fails with NoSuchKey that names the object, and with PreconditionFailed for another ETag", async ({
  sandbox,
  run,
}) => {
  sandbox.createBucket("missing");
  sandbox.put("missing", "there", "x");
  await expect(run("get-object", { object: { bucket: "missing", key: "not there" } })).rejects.toMatchObject({
    code: "NoSuchKey",
    message: expect.stringContaining("s3://missing/not there"),
  });
  const other = run("get-object", { object: { bucket: "missing", key: "there" }, ifMatch: "0".repeat(32) });
  await expect(other).rejects.toMatchObject({ code: "PreconditionFailed" });
});

test("tells how far it is with a large object, until it ends", async ({ sandbox, harness }) => {
  const size = 40 * 1024 ** 2;
  sandbox.createBucket("large");
  sandbox.put("large", "a", Buffer.alloc(size, 7));
  // Progress is told at most once a second, so the last part comes later than that.
  sandbox.before("GetObject", async ({ headers }) => {
    if (headers["range"]?.endsWith(`-${size - 1}`)) await later(1_100);
  });
  const job = await harness.producer.enqueue("get-object", { object: { bucket: "large", key: "a" } });
  const seen: { bytes: number; of: number }[] = [];
  for await (const progress of job.progress()) seen.push(progress);
  expect(await job.state()).toBe("completed");
  expect(seen.length).toBeGreaterThan(0);
  expect(seen.every(({ bytes, of }) => of === size && bytes > 0 && bytes <= size)).toBe(true);
});
