import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { ActivityError } from "../../model/activity-error.ts";
import { call, content, errorOf, MIB, openS3, type OpenOptions } from "../../test/open-s3.ts";
import { partSizeFor } from "../parts/size.ts";

const attributes = {
  contentType: "text/x",
  metadata: { m: "ü" },
  tags: { t: "a b" },
  storageClass: "STANDARD_IA",
  cacheControl: "no-store",
  contentDisposition: "inline",
  contentEncoding: "identity",
  contentLanguage: "de",
  expires: "Wed, 21 Oct 2026 07:28:00 GMT",
} as const;

const parts: OpenOptions = { connection: { multipartThreshold: 5 * MIB }, s3: { uploadPartSize: 5 * MIB } };
const streamedParts: OpenOptions = { ...parts, s3: { ...parts.s3, uploadBuffer: 1 } };

// Three ways to send: one request; parts held in memory; parts streamed because they do not fit.
describe.each([
  ["one request", {}],
  ["parts", parts],
  ["streamed parts", streamedParts],
] as const)("in %s", (how, options: OpenOptions) => {
  const size = 11 * MIB + 7;
  const { bytes, stream } = content(size);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const upload = { bucket: "in", key: "dir/a+b", size, attributes };
  const many = how !== "one request";

  test("stores content and attributes, and tells what the store has", async () => {
    const { sandbox, s3 } = await openS3(options);
    const object = await s3.put({ ...upload, body: stream(), sha256 }, call);
    expect(object).toMatchObject({
      bucket: "in",
      key: "dir/a+b",
      size,
      contentType: "text/x",
      metadata: { m: "ü" },
      storageClass: "STANDARD_IA",
    });
    expect(sandbox.bytes("in", "dir/a+b")?.equals(bytes)).toBe(true);
    expect(sandbox.object("in", "dir/a+b")).toMatchObject({
      tags: { t: "a b" },
      parts: many ? 3 : undefined,
      headers: {
        "cache-control": "no-store",
        "content-disposition": "inline",
        "content-language": "de",
        "content-encoding": "identity",
        expires: attributes.expires,
      },
    });
    expect(sandbox.uploads()).toEqual([]);
  });

  test("works with stores that take no checksums", async () => {
    const { sandbox, s3 } = await openS3({
      ...options,
      connection: { ...options.connection, checksums: "when-required" },
    });
    await s3.put({ ...upload, body: stream() }, call);
    expect(sandbox.bytes("in", "dir/a+b")?.equals(bytes)).toBe(true);
    const sums = sandbox.log.filter(({ headers }) =>
      Object.keys(headers).some((name) => name.startsWith("x-amz-checksum-")),
    );
    expect(sums).toEqual([]);
  });

  test.each([
    ["too few bytes", { size: size + 1 }],
    ["too many bytes", { size: size - 1 }],
    ["another SHA-256", { sha256: "0".repeat(64) }],
  ])("makes nothing visible where there are %s", async (_, wrong) => {
    // Without checksums nothing but the last bytes stands between the store and a whole object.
    for (const checksums of ["when-supported", "when-required"] as const) {
      const { sandbox, s3 } = await openS3({ ...options, connection: { ...options.connection, checksums } });
      expect(await errorOf(s3.put({ ...upload, body: stream(), ...wrong }, call))).toMatchObject({
        code: "IncompleteBody",
      });
      await expect.poll(() => sandbox.uploads()).toEqual([]);
      expect(sandbox.keys("in")).toEqual([]);
    }
  });

  test("holds the last bytes back until it knows that there are no more", async () => {
    const { sandbox, s3 } = await openS3({
      ...options,
      connection: { ...options.connection, checksums: "when-required" },
    });
    const body = Readable.from(
      (async function* () {
        yield* stream();
        // All that was promised is there. Were it sent, the store would have the object now.
        await Promise.race([new Promise<void>((resolve) => sandbox.after("PutObject", () => resolve())), sleep(200)]);
        yield Buffer.from("!");
      })(),
    );
    expect(await errorOf(s3.put({ ...upload, body }, call))).toMatchObject({ code: "IncompleteBody" });
    expect(sandbox.keys("in")).toEqual([]);
  });

  test("does not follow a source that never ends", async () => {
    const { sandbox, s3 } = await openS3(options);
    let yielded = 0;
    const body = Readable.from(
      (function* () {
        for (; yielded < 4 * size; yielded += MIB) yield Buffer.alloc(MIB);
      })(),
      { objectMode: false },
    );
    expect(await errorOf(s3.put({ ...upload, body }, call))).toMatchObject({ code: "IncompleteBody" });
    expect(yielded).toBeLessThan(2 * size);
    expect(sandbox.keys("in")).toEqual([]);
  });

  test("makes nothing visible where the source fails, and says why", async () => {
    const { sandbox, s3 } = await openS3(options);
    const failure = new ActivityError("DocumentExpired", "no document d");
    const body = Readable.from(
      (async function* () {
        yield bytes.subarray(0, 7 * MIB);
        throw failure;
      })(),
    );
    await expect(s3.put({ ...upload, body }, call)).rejects.toBe(failure);
    expect(sandbox.keys("in")).toEqual([]);
    expect(sandbox.uploads()).toEqual([]);
  });

  test("leaves nothing behind when aborted, not even parts", async () => {
    const { sandbox, s3 } = await openS3(options);
    const controller = new AbortController();
    const reason = new ActivityError("Cancelled", "on request");
    const body = Readable.from(
      (async function* () {
        yield bytes.subarray(0, 8 * MIB);
        controller.abort(reason);
        await new Promise(() => undefined);
      })(),
    );
    await expect(s3.put({ ...upload, body }, { signal: controller.signal })).rejects.toBe(reason);
    expect(body.destroyed).toBe(true);
    expect(sandbox.keys("in")).toEqual([]);
    expect(sandbox.uploads()).toEqual([]);
  });

  test("refuses to overwrite where it must not, also on stores that ignore conditions", async () => {
    for (const enforceConditions of [true, false]) {
      const { sandbox, s3 } = await openS3({ ...options, sandbox: { enforceConditions } });
      const { etag } = sandbox.put("in", "dir/a+b", "mine");
      expect(await errorOf(s3.put({ ...upload, body: stream(), ifNoneMatch: "*" }, call))).toMatchObject({
        code: "PreconditionFailed",
      });
      expect(await errorOf(s3.put({ ...upload, body: stream(), ifMatch: "0" }, call))).toMatchObject({
        code: "PreconditionFailed",
      });
      expect(sandbox.text("in", "dir/a+b")).toBe("mine");
      await s3.put({ ...upload, body: stream(), ifMatch: etag }, call);
      expect(sandbox.bytes("in", "dir/a+b")?.equals(bytes)).toBe(true);
    }
  });

  test("the store's own condition decides where somebody writes in between", async () => {
    const { sandbox, s3 } = await openS3(options);
    const remove = sandbox.before(many ? "CompleteMultipartUpload" : "PutObject", () => {
      remove();
      sandbox.put("in", "dir/a+b", "mine");
    });
    expect(await errorOf(s3.put({ ...upload, body: stream(), ifNoneMatch: "*" }, call))).toMatchObject({
      code: "PreconditionFailed",
    });
    expect(sandbox.text("in", "dir/a+b")).toBe("mine");
    expect(sandbox.uploads()).toEqual([]);
  });

  test("succeeds where it took effect and only the answer was lost", async () => {
    const { sandbox, s3 } = await openS3(options);
    sandbox.fault({ kind: "reset-after", operation: many ? "CompleteMultipartUpload" : "PutObject" });
    expect(await s3.put({ ...upload, body: stream() }, call)).toMatchObject({ size });
    expect(sandbox.bytes("in", "dir/a+b")?.equals(bytes)).toBe(true);
  });

  test.each(["empty-200", "html-200", "error-in-200"] as const)(
    "never takes a %s for a stored object",
    async (kind) => {
      const { sandbox, s3 } = await openS3(options);
      sandbox.fault({ kind, operation: many ? "CompleteMultipartUpload" : "PutObject" });
      expect(await errorOf(s3.put({ ...upload, body: stream() }, call))).toMatchObject({ retryable: true });
      expect(sandbox.uploads()).toEqual([]);
    },
  );

  test("goes to the bucket's own region before the first byte is sent", async () => {
    const { sandbox, s3, events } = await openS3(options);
    sandbox.createBucket("far", { region: "eu-west-3" });
    await s3.put({ ...upload, bucket: "far", body: stream() }, call);
    expect(sandbox.bytes("far", "dir/a+b")?.equals(bytes)).toBe(true);
    expect(events.filter(({ operation, status }) => operation !== "HeadBucket" && status !== 200)).toEqual([]);
  });

  test("gives up a store that takes no bytes", async () => {
    const { sandbox, s3 } = await openS3({
      ...options,
      s3: { ...options.s3, idleTimeoutMs: 200, requestTimeoutMs: 200 },
    });
    sandbox.fault({ kind: "stall", operation: many ? "CompleteMultipartUpload" : "PutObject" });
    expect(await errorOf(s3.put({ ...upload, body: stream() }, call))).toMatchObject({
      code: "Timeout",
      retryable: true,
    });
    expect(sandbox.uploads()).toEqual([]);
  });
});

test.each([
  ["parts", parts],
  ["streamed parts", streamedParts],
])("removes also the upload that was just being begun when it was aborted, in %s", async (_, options) => {
  const { sandbox, s3 } = await openS3(options);
  const controller = new AbortController();
  const reason = new ActivityError("Cancelled", "on request");
  sandbox.before("CreateMultipartUpload", () => controller.abort(reason));
  const { bytes, stream } = content(11 * MIB);
  const upload = { bucket: "in", key: "a", size: bytes.length, body: stream(), attributes: {} };
  await expect(s3.put(upload, { signal: controller.signal })).rejects.toBe(reason);
  expect(sandbox.calls("CreateMultipartUpload")).toBe(1);
  expect(sandbox.uploads()).toEqual([]);
});

test.each(["slow-down", "empty-200", "html-200", "error-in-200"] as const)(
  "a part that meets %s is sent again, and not the whole upload",
  async (kind) => {
    const { sandbox, s3 } = await openS3({
      connection: { multipartThreshold: 5 * MIB },
      s3: { uploadPartSize: 5 * MIB },
    });
    const { bytes, stream } = content(12 * MIB);
    sandbox.fault({ kind, operation: "UploadPart", times: 2 });
    await s3.put({ bucket: "in", key: "a", size: bytes.length, body: stream(), attributes: {} }, call);
    expect(sandbox.bytes("in", "a")?.equals(bytes)).toBe(true);
    expect(sandbox.calls("CreateMultipartUpload")).toBe(1);
  },
);

test("an encrypted upload, whose ETag is no MD5, is proven by its size", async () => {
  const { sandbox, s3 } = await openS3();
  const encryption = { type: "aws:kms", keyId: "k" } as const;
  await s3.put(
    { bucket: "in", key: "a", size: 5, body: Readable.from([Buffer.from("hello")]), attributes: { encryption } },
    call,
  );
  expect(sandbox.object("in", "a")?.encryption).toMatchObject({ algorithm: "aws:kms", kmsKeyId: "k" });
});

test("an empty body makes an empty object", async () => {
  const { sandbox, s3 } = await openS3();
  expect(
    await s3.put({ bucket: "in", key: "a", size: 0, body: Readable.from([]), attributes: {} }, call),
  ).toMatchObject({ size: 0 });
  expect(sandbox.text("in", "a")).toBe("");
});

test("parts grow so that the largest object fits into 10,000 of them", () => {
  const least = 8 * MIB;
  expect(partSizeFor(1, least)).toBe(least);
  expect(partSizeFor(least * 10_000, least)).toBe(least);
  // S3's largest object, https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
  for (const size of [least * 10_000 + 1, 5 * 1024 ** 4, 48.8 * 1024 ** 4]) {
    const part = partSizeFor(size, least);
    expect(Math.ceil(size / part)).toBeLessThanOrEqual(10_000);
    expect(part).toBeLessThanOrEqual(5 * 1024 ** 3);
  }
});

test("a document's SHA-256 is signed for where no checksum goes along, so that a store refuses other bytes under a key of KMS too", async () => {
  const { sandbox, s3 } = await openS3({ connection: { checksums: "when-required" } });
  const encryption = { type: "aws:kms" as const };
  const sha256 = createHash("sha256").update("hello").digest("hex");
  const upload = { bucket: "in", key: "a", size: 5, sha256, attributes: { encryption } };
  await s3.put({ ...upload, body: Readable.from([Buffer.from("hello")]) }, call);
  const sent = sandbox.log.filter(({ operation }) => operation === "PutObject");
  expect(sent.map(({ headers }) => headers["x-amz-content-sha256"])).toEqual([sha256]);
});

test("each part goes with its MD5, so that a store refuses other bytes of it", async () => {
  const { sandbox, s3 } = await openS3({ connection: { multipartThreshold: 5 * MIB, checksums: "when-required" } });
  const { bytes, stream } = content(9 * MIB);
  await s3.put({ bucket: "in", key: "a", size: bytes.length, body: stream(), attributes: {} }, call);
  const sent = sandbox.log.filter(({ operation }) => operation === "UploadPart");
  const md5 = (from: number, to?: number) => createHash("md5").update(bytes.subarray(from, to)).digest("base64");
  const expected = new Set([md5(0, 5 * MIB), md5(5 * MIB)]);
  expect(new Set(sent.map(({ headers }) => headers["content-md5"]))).toEqual(expected);
});
