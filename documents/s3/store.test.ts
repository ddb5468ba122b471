import { randomBytes } from "node:crypto";
import { buffer, text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { FaultOptions, Operation } from "../../sandbox/index.ts";
import type { DocumentStore } from "../interface.ts";
import { openDocumentStore } from "../open.ts";
import { liveBytes, s3Harness, settingsOf } from "../store-harness.ts";

const MIB = 1024 * 1024;
const HOUR_MS = 3600_000;
const DAY_MS = 24 * HOUR_MS;
const BUCKET = "documents";

let harness: Awaited<ReturnType<typeof s3Harness>>;
let store: DocumentStore;
let later = 0;

beforeEach(async () => {
  later = 0;
  harness = await s3Harness();
  store = await harness.open({ now: () => Date.now() + later });
});
afterEach(() => harness.close());

describe("an answer that is none of S3's", () => {
  const lies: FaultOptions["kind"][] = ["empty-200", "html-200", "error-in-200"];
  test.each(lies.flatMap((kind) => [[kind, "PutObject"] as const, [kind, "CompleteMultipartUpload"] as const]))(
    "is not taken for a stored document (%s to %s)",
    async (kind, operation) => {
      const fault = harness.sandbox.fault({ kind, operation, key: /content/ });
      const size = operation === "PutObject" ? 5 : 9 * MIB;
      await expect(store.write(Buffer.alloc(size), { name: "a" })).rejects.toMatchObject({ name: "ActivityError" });
      fault.remove();
      expect(fault.hits).toBeGreaterThan(0);
      expect(await harness.stored()).toEqual([]);
    },
  );

  test.each(lies.flatMap((kind) => [[kind, true] as const, [kind, false] as const]))(
    "is not taken for a record that was put, and leaves none (%s, put all the same: %s)",
    async (kind, after) => {
      const fault = harness.sandbox.fault({ kind, operation: "PutObject", key: /records/, after });
      await expect(store.write("x", { name: "a" })).rejects.toMatchObject({ name: "ActivityError" });
      expect(fault.hits).toBeGreaterThan(0);
      expect(await harness.stored()).toEqual([]);
    },
  );

  test.each(lies)("is not taken for an empty listing (%s)", async (kind) => {
    const pointer = await store.write("x", { name: "a" });
    const listing = harness.sandbox.fault({ kind, operation: "ListObjectsV2" });
    await expect(store.find(pointer.id)).rejects.toMatchObject({ name: "ActivityError" });
    later = 8 * DAY_MS;
    await expect(store.sweep()).rejects.toMatchObject({ name: "ActivityError" });
    listing.remove();
    later = 0;
    expect(await text(await store.read(pointer))).toBe("x");
  });
});

describe("a connection that breaks", () => {
  test("after an upload was completed does not spoil the write", async () => {
    const fault = harness.sandbox.fault({ kind: "reset-after", operation: "CompleteMultipartUpload", nth: 1 });
    const bytes = randomBytes(9 * MIB);
    const pointer = await store.write(bytes, { name: "a" });
    expect(fault.hits).toBe(1);
    expect((await buffer(await store.read(pointer))).equals(bytes)).toBe(true);
  });

  test.each(["truncate", "reset"] as const)("in mid download (%s) is taken up where it was", async (kind) => {
    const bytes = randomBytes(3 * MIB);
    const pointer = await store.write(bytes, { name: "a" });
    const stream = await store.read(pointer);
    stream.destroy();
    const fault = harness.sandbox.fault({ kind, operation: "GetObject", key: /content/, times: 3 });
    expect((await buffer(await store.read(pointer))).equals(bytes)).toBe(true);
    expect(fault.hits).toBe(3);
    expect(await harness.stored()).toEqual([]);
  });

  test("again and again ends the read as retryable, and keeps the document", async () => {
    const pointer = await store.write(randomBytes(MIB), { name: "a" });
    const fault = harness.sandbox.fault({ kind: "truncate", operation: "GetObject", key: /content/, afterBytes: 0 });
    const read = async () => buffer(await store.read(pointer));
    await expect(read()).rejects.toMatchObject({ code: "DocumentStoreFailed", retryable: true });
    fault.remove();
    expect(await store.find(pointer.id)).toEqual(pointer);
  });
});

describe("errors", () => {
  test.each([
    [
      { status: 403, code: "AccessDenied" },
      { code: "AccessDenied", retryable: false, httpStatus: 403 },
    ],
    [
      { status: 507, code: "InsufficientStorage" },
      { code: "DiskFull", retryable: true },
    ],
    [
      { status: 403, code: "QuotaExceeded" },
      { code: "DiskFull", retryable: true },
    ],
    [
      { status: 503, code: "SlowDown" },
      { code: "SlowDown", retryable: true, httpStatus: 503 },
    ],
  ])("of the store keep their code: %j", async (fault, expected) => {
    harness.sandbox.fault({ kind: "status", operation: ["PutObject", "UploadPart"], ...fault });
    await expect(store.write("x", { name: "a" })).rejects.toMatchObject(expected);
    expect(await harness.stored()).toEqual([]);
  });

  test("name the store, and no secret", async () => {
    const s3 = () => ({
      ...settingsOf(harness.sandbox),
      credentials: () => Promise.resolve({ accessKeyId: "AKIAWRONG", secretAccessKey: "very-secret" }),
    });
    const wrong = await openDocumentStore(`s3://${BUCKET}/p`, { s3 });
    const error: unknown = await wrong.write("x", { name: "a" }).catch((failure: unknown) => failure);
    await wrong.close();
    expect(error).toMatchObject({ code: "InvalidAccessKeyId", retryable: false });
    expect(JSON.stringify(error)).toContain("s3://documents/p/");
    expect(`${JSON.stringify(error)}${String(error)}${wrong.location}`).not.toContain("very-secret");
  });

  test("say so where the bucket is missing", async () => {
    const lost = await openDocumentStore("s3://nowhere/p", { s3: () => settingsOf(harness.sandbox) });
    await expect(lost.find("abc")).rejects.toMatchObject({ code: "NoSuchBucket" });
    await lost.close();
  });

  test("an unreachable endpoint is retryable", async () => {
    const settings = { ...settingsOf(harness.sandbox), endpoint: "http://127.0.0.1:1" };
    const lost = await openDocumentStore("s3://documents/p", { s3: () => settings });
    await expect(lost.find("abc")).rejects.toMatchObject({ code: "DocumentStoreFailed", retryable: true });
    await lost.close();
  });
});

describe("a writer that dies", () => {
  test.each([
    ["small", 5],
    ["in parts", 8 * MIB + 1],
  ])("at any request leaves the old document or the new one, whole (%s)", { timeout: 60_000 }, async (_kind, size) => {
    const outcomes = new Set<string>();
    for (let request = 1, ended = false; !ended; request += 1) {
      await store.delete("fixed");
      await store.write(Buffer.alloc(size, 1), { name: "old", id: "fixed", ttl: 30 * 86_400 });
      ended = await dyingAfter(request, () =>
        store.write(Buffer.alloc(size, 2), { name: "new", id: "fixed", ttl: 30 * 86_400 }),
      );
      const found = await store.find("fixed");
      if (found === undefined) throw new Error(`nothing is there after death at request ${request}`);
      const bytes = await buffer(await store.read(found, { keep: true }));
      expect(bytes.every((byte) => byte === (found.name === "old" ? 1 : 2))).toBe(true);
      later = 8 * DAY_MS;
      await store.sweep();
      later = 0;
      expect(await harness.stored()).toHaveLength(2);
      expect(await store.find("fixed")).toEqual(found);
      outcomes.add(found.name);
    }
    expect(outcomes).toEqual(new Set(["old", "new"]));
  });

  test("while it reads leaves the document whole, or none", async () => {
    for (let request = 1, ended = false; !ended; request += 1) {
      await store.write("content", { name: "a", id: "fixed", ttl: 30 * 86_400 });
      ended = await dyingAfter(request, async () => {
        const pointer = await store.find("fixed");
        if (pointer !== undefined) await buffer(await store.read(pointer));
        if ((await store.find("fixed")) !== undefined) throw new Error("not removed");
      });
      const found = await store.find("fixed");
      expect(["content", "none"]).toContain(found === undefined ? "none" : await text(await store.read(found)));
      later = 8 * DAY_MS;
      await store.sweep();
      later = 0;
      expect(await harness.stored()).toEqual([]);
    }
  });
});

describe("the sweep", () => {
  test("aborts an upload that got no part for an hour, and leaves one that did", async () => {
    const gate = Promise.withResolvers<void>();
    async function* source() {
      yield Buffer.alloc(20 * MIB);
      await gate.promise;
    }
    const write = store.write(source(), { name: "a", size: 20 * MIB });
    await expect.poll(() => harness.sandbox.uploads(BUCKET)[0]?.parts.length).toBeGreaterThan(0);
    later = HOUR_MS - 60_000;
    expect((await store.sweep()).orphans).toBe(0);
    later = HOUR_MS + 60_000;
    expect((await store.sweep()).orphans).toBe(1);
    gate.resolve();
    await expect(write).rejects.toMatchObject({ code: "NoSuchUpload", retryable: true });
    expect(await harness.stored()).toEqual([]);
  });

  test("leaves an upload alone that began long ago and still gets parts", async () => {
    // Without signatures, which a clock that jumps would spoil.
    const own = await s3Harness({ verifySignatures: false });
    const ownStore = await own.open({ now: () => Date.now() });
    const gate = Promise.withResolvers<void>();
    async function* source() {
      yield Buffer.alloc(20 * MIB);
      await gate.promise;
      yield Buffer.alloc(20 * MIB);
      await stopped.promise;
    }
    const stopped = Promise.withResolvers<void>();
    const parts = () => own.sandbox.uploads(BUCKET)[0]?.parts.length ?? 0;
    // Only the clock, which the sandbox in this process goes by as well.
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      const write = ownStore.write(source(), { name: "a", size: 40 * MIB });
      await expect.poll(parts).toBe(2);
      vi.setSystemTime(Date.now() + 2 * HOUR_MS);
      gate.resolve();
      await expect.poll(parts).toBe(4);
      expect((await ownStore.sweep()).orphans).toBe(0);
      stopped.resolve();
      expect((await write).size).toBe(40 * MIB);
    } finally {
      vi.useRealTimers();
      await own.close();
    }
  });

  test("gives content that came in parts a week to get its record, as its date is that of its first byte", async () => {
    harness.sandbox.put(BUCKET, "some/prefix/content/abc/m00112233445566aa", "content");
    later = 6 * DAY_MS;
    expect((await store.sweep()).orphans).toBe(0);
    later = 8 * DAY_MS;
    expect((await store.sweep()).orphans).toBe(1);
  });

  test("removes a record whose content somebody else deleted, and reading says DocumentNotFound", async () => {
    const pointer = await store.write("x", { name: "a", ttl: 86_400 });
    for (const key of harness.sandbox.keys(BUCKET)) if (key.includes("/content/")) harness.sandbox.delete(BUCKET, key);
    await expect(store.read(pointer)).rejects.toMatchObject({ code: "DocumentNotFound" });
    expect((await store.sweep()).orphans).toBe(0);
    later = 2 * HOUR_MS;
    expect((await store.sweep()).orphans).toBe(1);
    expect(await harness.stored()).toEqual([]);
  });

  test("touches nothing that is not the store's", async () => {
    const others = [
      "some/prefix/mine.txt",
      "some/prefix/content/mine",
      "some/prefix/records/mine",
      "elsewhere/content/a/b",
    ];
    for (const key of others) harness.sandbox.put(BUCKET, key, "mine");
    later = 30 * DAY_MS;
    expect(await store.sweep()).toEqual({ expired: 0, orphans: 0 });
    expect(harness.sandbox.count(BUCKET)).toBe(others.length);
  });

  test("goes through more documents than one listing holds", async () => {
    for (let index = 0; index < 1100; index += 1) {
      const id = `doc-${index}`;
      harness.sandbox.put(BUCKET, `some/prefix/content/${id}/s00112233445566aa`, "x");
      harness.sandbox.put(BUCKET, `some/prefix/records/${id}/0000000001-00112233445566aa-1000-s`, "{}");
    }
    expect(await store.usage()).toEqual({ documents: 1100, bytes: 1100 });
    expect(await store.sweep()).toEqual({ expired: 1100, orphans: 0 });
    expect(await harness.stored()).toEqual([]);
  });
});

test("holds only a few parts of a large document in memory while it is written", async () => {
  harness.sandbox.createBucket("sink", { sink: true });
  const sink = await openDocumentStore("s3://sink/", { s3: () => settingsOf(harness.sandbox) });
  const size = 160 * MIB;
  const start = liveBytes();
  let peak = 0;
  async function* source() {
    for (let sent = 0; sent < size; sent += MIB) {
      if (sent % (5 * MIB) === 0) peak = Math.max(peak, liveBytes() - start);
      yield Buffer.alloc(MIB);
    }
  }
  expect((await sink.write(source(), { name: "large", size })).size).toBe(size);
  await sink.close();
  // Four parts of 8 MiB under way, one being filled; and what the sandbox, in this process, has received of them.
  expect(peak).toBeLessThan(96 * MIB);
});

const EVERYTHING: readonly Operation[] = [
  "PutObject",
  "GetObject",
  "HeadObject",
  "DeleteObject",
  "ListObjectsV2",
  "CreateMultipartUpload",
  "UploadPart",
  "CompleteMultipartUpload",
  "AbortMultipartUpload",
];

/** Runs something whose requests are all refused after the n-th took effect: for the store it is dead. True where it came to its end. */
async function dyingAfter(request: number, run: () => Promise<unknown>): Promise<boolean> {
  let seen = 0;
  for (const operation of EVERYTHING)
    harness.sandbox.after(operation, () => {
      seen += 1;
      if (seen === request) harness.sandbox.fault({ kind: "status", status: 403, code: "AccessDenied" });
    });
  try {
    await run();
    return seen < request;
  } catch {
    // How it failed is of no interest here; what it left is.
    return false;
  } finally {
    harness.sandbox.clearHooks();
    harness.sandbox.clearFaults();
  }
}
