import { setTimeout as later } from "node:timers/promises";
import { randomBytes } from "node:crypto";
import { open, readdir, stat } from "node:fs/promises";
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
  ["asks only for what is missing of a large object whose attempt failed", false],
  ["takes the whole again where what it kept is not what the store has", true],
])("%s", async (_, spoilt) => {
  const harness = await startHarness({ profile: { transfer: { threshold: 5 * MIB, partSize: 5 * MIB } } });
  onTestFinished(() => harness.close());
  const { sandbox, producer, folder } = harness;
  sandbox.createBucket("long");
  const content = randomBytes(21 * MIB);
  sandbox.put("long", "a", content);
  const unfinished = join(folder, "documents", "tmp");
  const theFile = async () => join(unfinished, (await readdir(unfinished))[0] ?? "");
  // Once all the rest is on its place, one range is answered with the whole.
  let isFirst = true;
  sandbox.before("GetObject", async ({ headers }) => {
    if (!isFirst || headers["range"]?.startsWith(`bytes=${10 * MIB}-`) !== true) return;
    isFirst = false;
    const written = async () => 512 * (await stat(await theFile())).blocks;
    await vi.waitFor(async () => expect(await written()).toBeGreaterThanOrEqual(16 * MIB), { timeout: 20_000 });
    delete headers["range"];
  });
  const job = await producer.enqueue("get-object", { object: { bucket: "long", key: "a" } });
  await vi.waitFor(async () => expect(await job.state()).toBe("delayed"), { timeout: 30_000 });
  if (spoilt) {
    await using handle = await open(await theFile(), "r+");
    await handle.write("spoilt", 1000);
  }
  const before = sandbox.log.length;
  const { document } = await job.result({ timeout: 30_000 });
  expect((await buffer(await producer.documents.read(document, { keep: true }))).equals(content)).toBe(true);
  const gets = sandbox.log.slice(before).filter(({ operation }) => operation === "GetObject");
  const asked = gets.reduce((sum, { headers }) => sum + lengthOf(headers["range"]), 0);
  if (spoilt) expect(asked).toBeGreaterThanOrEqual(21 * MIB - 5 * MIB);
  else expect(asked).toBeLessThanOrEqual(8 * MIB);
  expect(await readdir(unfinished)).toEqual([]);
});

function lengthOf(range: string | undefined): number {
  const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
  return start === undefined ? 0 : Number(end) - Number(start) + 1;
}

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
