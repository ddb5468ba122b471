import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { all, type BatchHarness, startBatchHarness } from "../test/batch-harness.ts";
import type { DocumentPointer } from "../model/entities.ts";

let harness: BatchHarness;
beforeAll(async () => {
  harness = await startBatchHarness();
});
afterAll(async () => {
  await harness.close();
});

let made = 0;
/** Buckets of its own for each test: one with these objects, one empty. */
function buckets(objects: Readonly<Record<string, string>> = {}): [from: string, to: string] {
  made++;
  const pair: [string, string] = [`src-${made}`, `dst-${made}`];
  for (const name of pair) harness.sandbox.createBucket(name);
  for (const [key, content] of Object.entries(objects)) harness.sandbox.put(pair[0], key, content);
  return pair;
}

function contents(bucket: string): Record<string, string | undefined> {
  return Object.fromEntries(harness.sandbox.keys(bucket).map((key) => [key, harness.sandbox.text(bucket, key)]));
}

async function document(text: string): Promise<DocumentPointer> {
  return await harness.documents.write(text, { name: "manifest", deleteAfterDownload: false });
}

describe("a prefix", () => {
  test("is replaced by the destination's, and kept where that has none", async () => {
    const [from, to] = buckets({ "a/1": "1", "a/b/2": "2", ab: "3" });
    const batch = await harness.batches.start({
      operation: "copy",
      source: { bucket: from, prefix: "a/" },
      destination: { bucket: to, prefix: "z-" },
    });
    await batch.done();
    expect(contents(to)).toEqual({ "z-1": "1", "z-b/2": "2" });
    const other = await harness.batches.start({
      operation: "copy",
      source: { bucket: from, prefix: "a" },
      destination: { bucket: to },
    });
    await other.done();
    expect(contents(to)).toEqual({ "z-1": "1", "z-b/2": "2", "a/1": "1", "a/b/2": "2", ab: "3" });
  });

  test("with sub-prefixes is shared out over chains, every key once", async () => {
    const [from, to] = buckets();
    const keys: string[] = [];
    for (const folder of ["a/", "b/", "c/x/", "c/y/", "d/", "é/", "\u{1F600}/"])
      for (let i = 0; i < (folder === "a/" ? 1100 : 350); i++) keys.push(`${folder}${i}`);
    for (const key of ["a", "b", "b/", "bb", "c0", "zz", "ＡＡ"]) keys.push(key);
    for (const key of keys) harness.sandbox.put(from, key, key);
    const batch = await harness.batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: to },
    });
    expect(await batch.done()).toMatchObject({ state: "completed", listed: keys.length, succeeded: keys.length });
    expect(harness.sandbox.keys(to).toSorted()).toEqual(keys.toSorted());
    expect(harness.sandbox.count(from)).toBe(0);
    expect(Number(await harness.redis.hget(`${harness.prefix}:~batch:${batch.id}`, "chains"))).toBeGreaterThan(1);
  });

  test("without an object that matches completes and says so", async () => {
    const [from, to] = buckets({ "a/1": "1" });
    const batch = await harness.batches.start({
      operation: "move",
      source: { bucket: from, prefix: "b/" },
      destination: { bucket: to },
    });
    expect(await batch.done()).toMatchObject({
      state: "completed",
      listed: 0,
      note: `no object matches s3://${from}/b/`,
    });
    const filtered = await harness.batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: to },
      filter: { include: ["*.none"] },
    });
    expect(await filtered.done()).toMatchObject({
      state: "completed",
      listed: 0,
      filtered: 1,
      note: `no object matches s3://${from}/`,
    });
  });
});

describe("a glob", () => {
  test("takes an exclamation mark as a character of keys, and reaches over newlines", async () => {
    const [from, to] = buckets({ "!x": "1", y: "2", "n\ne": "3" });
    const copy = { operation: "copy", source: { bucket: from }, destination: { bucket: to } } as const;
    const marked = await harness.batches.start({ ...copy, filter: { include: ["!x*"] } });
    expect(await marked.done()).toMatchObject({ succeeded: 1, filtered: 2 });
    expect(harness.sandbox.keys(to)).toEqual(["!x"]);
    const every = await harness.batches.start({ ...copy, filter: { include: ["**"] } });
    expect(await every.done()).toMatchObject({ succeeded: 3, filtered: 0 });
  });
});

describe("a filter", () => {
  const day = (n: number): string => new Date(Date.UTC(2024, 0, n)).toISOString();

  test.each([
    ["include", { include: ["*.txt", "sub/**"] }, ["a.txt", "sub/.hidden", "sub/deep/c.bin"]],
    ["exclude", { exclude: ["**/*.bin", "*.txt"] }, ["b.bin2", "sub/.hidden"]],
    ["minSize and maxSize", { minSize: 2, maxSize: 3 }, ["b.bin2", "sub/.hidden"]],
    ["modifiedBefore", { modifiedBefore: day(2) }, ["a.txt"]],
    ["modifiedAfter", { modifiedAfter: day(2) }, ["sub/.hidden", "sub/deep/c.bin"]],
    ["storageClasses", { storageClasses: ["STANDARD_IA"] }, ["sub/deep/c.bin"]],
  ])("%s decides what is taken on", async (_name, filter, expected) => {
    const [from, to] = buckets();
    harness.sandbox.put(from, "p/a.txt", "1", { lastModified: new Date(day(1)) });
    harness.sandbox.put(from, "p/b.bin2", "12", { lastModified: new Date(day(2)) });
    harness.sandbox.put(from, "p/sub/.hidden", "123", { lastModified: new Date(day(3)) });
    harness.sandbox.put(from, "p/sub/deep/c.bin", "1234", {
      lastModified: new Date(day(4)),
      storageClass: "STANDARD_IA",
    });
    const batch = await harness.batches.start({
      operation: "copy",
      source: { bucket: from, prefix: "p/" },
      destination: { bucket: to, prefix: "" },
      filter,
    });
    expect(await batch.done()).toMatchObject({
      listed: expected.length,
      filtered: 4 - expected.length,
      succeeded: expected.length,
    });
    expect(harness.sandbox.keys(to).toSorted()).toEqual(expected.toSorted());
  });
});

describe("items", () => {
  test("are moved to destinations of their own, pinned by a look where they carry no ETag", async () => {
    const [from, to] = buckets({ a: "A", b: "B", c: "C" });
    harness.sandbox.clearLog();
    const batch = await harness.batches.start({
      operation: "move",
      source: {
        items: [
          { bucket: from, key: "a" },
          { bucket: from, key: "b", destinationKey: "other" },
          { bucket: from, key: "gone" },
        ],
      },
      destination: { bucket: to, prefix: "in/" },
    });
    expect(await batch.done()).toMatchObject({
      state: "completed",
      total: 3,
      listed: 3,
      succeeded: 2,
      failed: 1,
      errors: { NoSuchKey: 1 },
      bytes: 2,
    });
    expect(contents(to)).toEqual({ "in/a": "A", other: "B" });
    expect(contents(from)).toEqual({ c: "C" });
    expect((await batch.status()).requests).toMatchObject({ copy: 2, delete: 1 });
  });

  test("from a listing are pinned by it: what changed since is left alone", async () => {
    const [from, to] = buckets({ a: "A", b: "B" });
    const view = (key: string) => {
      const { etag, size, lastModified } = harness.sandbox.object(from, key)!;
      return { bucket: from, key, etag, size, lastModified: lastModified.toISOString(), storageClass: "STANDARD" };
    };
    const items = [view("a"), view("b")];
    harness.sandbox.put(from, "b", "newer");
    const batch = await harness.batches.start({ operation: "move", source: { items }, destination: { bucket: to } });
    expect(await batch.done()).toMatchObject({ succeeded: 1, failed: 1, errors: { SourceChanged: 1 } });
    expect(contents(from)).toEqual({ b: "newer" });
    expect(contents(to)).toEqual({ a: "A" });
  });

  test("name versions exactly", async () => {
    const name = `versioned-${++made}`;
    harness.sandbox.createBucket(name, { versioning: true });
    const [, to] = buckets();
    const old = harness.sandbox.put(name, "a", "old").versionId!;
    harness.sandbox.put(name, "a", "new");
    const batch = await harness.batches.start({
      operation: "move",
      source: { items: [{ bucket: name, key: "a", versionId: old }] },
      destination: { bucket: to },
    });
    expect(await batch.done()).toMatchObject({ succeeded: 1 });
    expect(harness.sandbox.text(to, "a")).toBe("old");
    expect(harness.sandbox.versions(name, "a").map(({ versionId }) => versionId)).not.toContain(old);
    expect(harness.sandbox.text(name, "a")).toBe("new");
  });

  test("that meet at one destination, or write what another reads, are refused", async () => {
    const start = (items: { bucket: string; key: string; destinationKey?: string }[]) =>
      harness.batches.start({ operation: "move", source: { items }, destination: { bucket: "bkt" } });
    await expect(
      start([
        { bucket: "bkt", key: "a", destinationKey: "c" },
        { bucket: "bkt", key: "b", destinationKey: "c" },
      ]),
    ).rejects.toMatchObject({ code: "InvalidInput", field: "source.items[1]" });
    await expect(
      start([
        { bucket: "bkt", key: "a", destinationKey: "b" },
        { bucket: "bkt", key: "b", destinationKey: "c" },
      ]),
    ).rejects.toMatchObject({ code: "InvalidInput", field: "source.items[0]" });
    await expect(
      start([
        { bucket: "bkt", key: "a" },
        { bucket: "bkt", key: "a" },
      ]),
    ).rejects.toMatchObject({ code: "InvalidInput" });
  });
});

describe("a manifest", () => {
  test("of CSV has URL-encoded keys, a header where people leave one, and failed rows for lines that cannot be read", async () => {
    const [from, to] = buckets({ "a b": "1", "c+d": "2", é: "3", plain: "4", 'q"uote': "5" });
    const text = [
      "Bucket,Key,VersionId",
      `${from},a%20b`,
      `"${from}","c%2Bd"`,
      `${from},%C3%A9,`,
      "",
      "onlyonefield",
      `${from},%zz`,
      `no bucket!,x`,
      `${from},plain\r`,
      `${from},"broken`,
      `${from},q%22uote`,
    ].join("\n");
    const batch = await harness.batches.start({
      operation: "copy",
      source: { manifest: await document(text), format: "csv" },
      destination: { bucket: to },
    });
    const status = await batch.done();
    expect(contents(to)).toEqual({ "a b": "1", "c+d": "2", é: "3", plain: "4", 'q"uote': "5" });
    expect(status).toMatchObject({ listed: 9, succeeded: 5, failed: 4, total: 9, errors: { InvalidManifestLine: 4 } });
    const failed = await all(batch.report({ only: "failed" }));
    expect(failed.map(({ message }) => /line (\d+)/.exec(message ?? "")?.[1])).toEqual(["6", "7", "8", "10"]);
  });

  test("of NDJSON names buckets, versions and destinations by line", async () => {
    const [from, to] = buckets({ a: "A", b: "B" });
    const text = [
      `{"key":"a","destinationKey":"x/a"}`,
      `{"bucket":"${from}","key":"b"}`,
      "not json",
      `{"key":5}`,
      `{"key":"a/../b","destinationKey":"ok"}`,
    ].join("\n");
    const batch = await harness.batches.start({
      operation: "move",
      source: { manifest: await document(text), format: "ndjson", bucket: from },
      destination: { bucket: to, prefix: "y/" },
    });
    expect(await batch.done()).toMatchObject({
      listed: 5,
      succeeded: 2,
      failed: 3,
      errors: { InvalidManifestLine: 2, UnsafeKey: 1 },
    });
    expect(contents(to)).toEqual({ "x/a": "A", "y/b": "B" });
    expect(contents(from)).toEqual({});
  });

  test("longer than a chunk is fed in order, whole", async () => {
    const [from, to] = buckets();
    const lines: string[] = [];
    for (let i = 0; i < 2100; i++) {
      harness.sandbox.put(from, `k${i}`, "x");
      lines.push(`${from},k${i}`);
    }
    const batch = await harness.batches.start({
      operation: "delete",
      source: { manifest: await document(`${lines.join("\n")}\n`), format: "csv" },
      filter: { exclude: ["k1*"] },
    });
    const kept = lines.filter((line) => line.includes(",k1")).length;
    expect(await batch.done()).toMatchObject({
      state: "completed",
      listed: 2100 - kept,
      filtered: kept,
      succeeded: 2100 - kept,
    });
    expect(harness.sandbox.count(from)).toBe(kept);
    expect(harness.sandbox.count(to)).toBe(0);
  });

  test("that sends two objects of a chunk to one key moves the first, and loses neither", async () => {
    const [from, to] = buckets({ a: "1", b: "2", c: "3" });
    const lines = ["a", "b", "a"].map((key) => `{"bucket":"${from}","key":"${key}","destinationKey":"one"}\n`);
    const batch = await harness.batches.start({
      operation: "move",
      source: { manifest: await document(lines.join("")), format: "ndjson" },
      destination: { bucket: to },
    });
    expect(await batch.done()).toMatchObject({ succeeded: 2, failed: 1, errors: { DestinationTaken: 1 } });
    expect(contents(to)).toEqual({ one: "1" });
    expect(contents(from)).toEqual({ b: "2", c: "3" });
  });

  test("that is gone fails the batch before anything runs", async () => {
    const [from, to] = buckets();
    const manifest = await document(`${from},a`);
    await harness.documents.delete(manifest.id);
    const batch = await harness.batches.start({
      operation: "copy",
      source: { manifest, format: "csv" },
      destination: { bucket: to },
    });
    await expect(batch.done()).rejects.toMatchObject({ code: "DocumentNotFound" });
  });
});

describe("what cannot work", () => {
  test("is refused before it is stored, with the field that is wrong", async () => {
    const start = (spec: unknown) => harness.batches.start(spec as never); // deliberately wrong
    const source = { bucket: "bkt", prefix: "a/" };
    await expect(start({ operation: "copy", source })).rejects.toMatchObject({
      code: "InvalidInput",
      field: "destination",
    });
    await expect(start({ operation: "delete", source, destination: { bucket: "bkt" } })).rejects.toMatchObject({
      field: "destination",
    });
    await expect(
      start({ operation: "copy", source, destination: { bucket: "other" }, maxObjectsPerSecond: -1 }),
    ).rejects.toMatchObject({
      field: "maxObjectsPerSecond",
    });
    await expect(
      start({ operation: "copy", source, destination: { bucket: "other" }, surprise: 1 }),
    ).rejects.toMatchObject({ code: "InvalidInput" });
    for (const prefix of [undefined, "a/", "a/b/"]) {
      await expect(start({ operation: "move", source, destination: { bucket: "bkt", prefix } })).rejects.toMatchObject({
        code: "BatchOverlap",
      });
    }
    await expect(
      start({ operation: "copy", source: { bucket: "bkt" }, destination: { bucket: "bkt", prefix: "backup/" } }),
    ).rejects.toMatchObject({ code: "BatchOverlap" });
  });

  test("because a bucket is missing fails the batch, and nothing ran", async () => {
    const [from] = buckets({ a: "A" });
    const to = await harness.batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: "missing" },
    });
    await expect(to.done()).rejects.toMatchObject({ code: "NoSuchBucket" });
    const source = await harness.batches.start({
      operation: "move",
      source: { bucket: "missing" },
      destination: { bucket: from },
    });
    await expect(source.done()).rejects.toMatchObject({ code: "NoSuchBucket" });
    expect(await source.status()).toMatchObject({ state: "failed", listed: 0 });
    expect(contents(from)).toEqual({ a: "A" });
  });

  test("because listing is denied fails the batch", async () => {
    const [from, to] = buckets({ a: "A" });
    const fault = harness.sandbox.fault({
      operation: "ListObjectsV2",
      bucket: from,
      kind: "status",
      status: 403,
      code: "AccessDenied",
    });
    const batch = await harness.batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: to },
    });
    await expect(batch.done()).rejects.toMatchObject({ code: "AccessDenied" });
    fault.remove();
  });

  test("one level up: objects whose destination is among the sources fail, the others move", async () => {
    const [from] = buckets({ "a/b/x": "1", "a/b/b/x": "2" });
    const batch = await harness.batches.start({
      operation: "move",
      source: { bucket: from, prefix: "a/b/" },
      destination: { bucket: from, prefix: "a/" },
    });
    expect(await batch.done()).toMatchObject({ succeeded: 1, failed: 1, errors: { BatchOverlap: 1 } });
    expect(contents(from)).toEqual({ "a/x": "1", "a/b/b/x": "2" });
  });

  test("keys with dot segments fail as unsafe, whoever put them there", async () => {
    const [from, to] = buckets({ "p/../x": "1", "p/y": "2" });
    const batch = await harness.batches.start({
      operation: "move",
      source: { bucket: from, prefix: "p/" },
      destination: { bucket: to, prefix: "" },
    });
    expect(await batch.done()).toMatchObject({ succeeded: 1, failed: 1, errors: { UnsafeKey: 1 } });
    expect(contents(from)).toEqual({ "p/../x": "1" });
  });
});

describe("archived objects", () => {
  test.each([
    ["fail", { succeeded: 1, failed: 2, skipped: 0, errors: { Archived: 2 } }],
    ["skip", { succeeded: 1, failed: 0, skipped: 2 }],
  ] as const)("%s, by option", async (archived, expected) => {
    const [from, to] = buckets({ a: "A" });
    harness.sandbox.put(from, "b", "B", { storageClass: "GLACIER" });
    harness.sandbox.put(from, "c", "C", { storageClass: "DEEP_ARCHIVE" });
    const batch = await harness.batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: to },
      archived,
    });
    expect(await batch.done()).toMatchObject(expected);
    expect(Object.keys(contents(from))).toEqual(["b", "c"]);
  });
});

describe("onConflict", () => {
  test.each([
    ["overwrite", { succeeded: 3, skipped: 0, failed: 0 }, { same: "S", other: "new", free: "F" }],
    ["skip", { succeeded: 1, skipped: 2, failed: 0 }, { same: "S", other: "theirs", free: "F" }],
    ["skip-identical", { succeeded: 2, skipped: 1, failed: 0 }, { same: "S", other: "new", free: "F" }],
    [
      "fail",
      { succeeded: 1, skipped: 0, failed: 2, errors: { DestinationExists: 2 } },
      { same: "S", other: "theirs", free: "F" },
    ],
  ] as const)("%s", async (onConflict, counts, after) => {
    const [from, to] = buckets({ same: "S", other: "new", free: "F" });
    harness.sandbox.put(to, "same", "S");
    harness.sandbox.put(to, "other", "theirs");
    harness.sandbox.clearLog();
    const batch = await harness.batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: to },
      onConflict,
    });
    expect(await batch.done()).toMatchObject(counts);
    expect(contents(to)).toEqual(after);
    expect(Object.keys(contents(from))).toHaveLength(counts.skipped + counts.failed);
    // Conflicts are found by listing, not by asking for every object.
    const heads = harness.sandbox.log.filter(({ operation, bucket }) => operation === "HeadObject" && bucket === to);
    expect(heads).toEqual([]);
  });

  test("is decided for a first key whose last character is beyond the basic plane", async () => {
    const [from, to] = buckets({ "\u{1F600}": "S", "\u{1F601}": "T" });
    harness.sandbox.put(to, "\u{1F600}", "theirs");
    const move = { operation: "move", source: { bucket: from }, destination: { bucket: to } } as const;
    const batch = await harness.batches.start({ ...move, onConflict: "skip" });
    expect(await batch.done()).toMatchObject({ succeeded: 1, skipped: 1, failed: 0 });
    expect(contents(to)).toEqual({ "\u{1F600}": "theirs", "\u{1F601}": "T" });
  });

  test("an object that appears after the look is not overwritten either", async () => {
    const [from, to] = buckets({ a: "A" });
    const remove = harness.sandbox.before("CopyObject", () => void harness.sandbox.put(to, "a", "theirs"));
    const batch = await harness.batches.start({
      operation: "move",
      source: { bucket: from },
      destination: { bucket: to },
      onConflict: "fail",
    });
    expect(await batch.done()).toMatchObject({ failed: 1, errors: { DestinationExists: 1 } });
    remove();
    expect(contents(to)).toEqual({ a: "theirs" });
    expect(contents(from)).toEqual({ a: "A" });
  });
});

describe("the policy", () => {
  test("holds for every object, at both ends", async () => {
    const [from, to] = buckets({ "open/a": "A", "closed/b": "B", "open/secret": "C" });
    const allowed = async (_: unknown, activity: string, bucket: string) => (key: string) =>
      activity === "list-objects" || (bucket === from ? key.startsWith("open/") : !key.endsWith("secret"));
    const own = await startBatchHarness({ deps: { allowed }, prefix: `${harness.prefix}-policy`, workers: 1 });
    own.sandbox.createBucket(from);
    own.sandbox.createBucket(to);
    for (const key of ["open/a", "closed/b", "open/secret"]) own.sandbox.put(from, key, key);
    const batch = await own.batches.start({ operation: "move", source: { bucket: from }, destination: { bucket: to } });
    expect(await batch.done()).toMatchObject({ succeeded: 1, failed: 2, errors: { PolicyDenied: 2 } });
    expect(own.sandbox.keys(to)).toEqual(["open/a"]);
    expect(own.sandbox.keys(from)).toEqual(["closed/b", "open/secret"]);
    await own.close();
  });

  test("that forbids the listing fails the batch", async () => {
    const own = await startBatchHarness({
      deps: { allowed: async (_, activity) => () => activity !== "list-objects" },
    });
    own.sandbox.createBucket("bkt");
    const batch = await own.batches.start({ operation: "delete", source: { bucket: "bkt" } });
    await expect(batch.done()).rejects.toMatchObject({ code: "PolicyDenied" });
    await own.close();
  });
});

describe("what protects an object", () => {
  test("moves with it, fails its row where the bucket takes no lock, and is named where it is left behind", async () => {
    const own = await startBatchHarness({
      sandbox: { objectOwnership: "ObjectWriter", blockPublicAccess: false },
      prefix: `${harness.prefix}-protected`,
    });
    const { sandbox, batches } = own;
    for (const bucket of ["ledger", "archive"]) sandbox.createBucket(bucket, { objectLock: true });
    sandbox.createBucket("loose");
    const s3 = await own.deps.s3For(undefined, "put-object", {});
    const call = { signal: new AbortController().signal };
    const said = { held: { objectLock: { legalHold: true } }, shown: { acl: "public-read" as const }, plain: {} };
    for (const [key, attributes] of Object.entries(said))
      await s3.put({ bucket: "ledger", key, body: Readable.from(["x"]), size: 1, attributes }, call);
    const move = { operation: "move", source: { bucket: "ledger" }, retention: 60 } as const;
    const rows = async (more: object): Promise<Record<string, string>> => {
      const batch = await batches.start({ ...move, destination: { bucket: "loose" }, ...more });
      await batch.done();
      return Object.fromEntries((await all(batch.report())).map(({ key, code = "" }) => [key, code]));
    };
    expect(await rows({ destination: { bucket: "archive" }, filter: { include: ["held"] } })).toEqual({ held: "" });
    expect((await s3.head({ bucket: "archive", key: "held" }, call)).objectLock).toEqual({ legalHold: true });
    expect(await rows({})).toEqual({ plain: "", shown: "NotCarried" });
    expect(await rows({ source: { bucket: "archive" } })).toEqual({ held: "ProtectionNotCarried" });
    expect(sandbox.text("archive", "held")).toBe("x");
    expect(await rows({ source: { bucket: "archive" }, objectLock: "drop" })).toEqual({ held: "" });
    await own.close();
  });
});
