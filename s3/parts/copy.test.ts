import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { ActivityError } from "../../model/activity-error.ts";
import { call, content, errorOf, type OpenedS3, openS3, type OpenOptions } from "../../test/open-s3.ts";
import type { UploadMemory, UploadState } from "../interface.ts";

const PART = 64 * 1024;
const size = 3 * PART + 3;
const { bytes } = content(size);

/** Above a threshold of 64 KiB, in four parts. */
async function open(options: OpenOptions = {}): Promise<OpenedS3> {
  const opened = await openS3({
    sandbox: { minPartSize: PART, ...options.sandbox },
    connection: { multipartThreshold: PART, ...options.connection },
    s3: { copyPartSize: PART, ...options.s3 },
  });
  opened.sandbox.put("in", "a", bytes, {
    contentType: "text/x",
    metadata: { m: "1" },
    tags: { t: "a b" },
    storageClass: "STANDARD_IA",
    encryption: { algorithm: "aws:kms", kmsKeyId: "k" },
    headers: { "cache-control": "no-store", "content-disposition": "inline", expires: "Wed, 21 Oct 2026 07:28:00 GMT" },
  });
  return opened;
}

/** A memory as a job has it, in Redis there. */
function remember(): UploadMemory & { state: UploadState | undefined } {
  const memory = {
    state: undefined as UploadState | undefined,
    load: () => Promise.resolve(memory.state),
    save: (state: UploadState) => {
      memory.state = state;
      return Promise.resolve();
    },
    clear: () => {
      memory.state = undefined;
      return Promise.resolve();
    },
  };
  return memory;
}

test("copies in fenced parts and carries over everything", async () => {
  const { sandbox, s3, pin } = await open();
  const source = pin("in", "a");
  const moved: number[] = [];
  const proof = await s3.copy({ source, bucket: "out", key: "b", onBytes: (count) => moved.push(count) }, call);
  expect(proof).toMatchObject({ bucket: "out", key: "b", size, etag: expect.stringMatching(/-4$/) });
  expect(sandbox.bytes("out", "b")?.equals(bytes)).toBe(true);
  expect(sandbox.object("out", "b")).toMatchObject({
    parts: 4,
    contentType: "text/x",
    metadata: { m: "1" },
    tags: { t: "a b" },
    storageClass: "STANDARD_IA",
    encryption: { algorithm: "aws:kms", kmsKeyId: "k" },
    headers: { "cache-control": "no-store", "content-disposition": "inline", expires: "Wed, 21 Oct 2026 07:28:00 GMT" },
  });
  expect(moved.reduce((sum, one) => sum + one, 0)).toBe(size);
  const parts = sandbox.log.filter(({ operation }) => operation === "UploadPartCopy");
  expect(parts.map(({ headers }) => headers["x-amz-copy-source-if-match"])).toEqual(Array(4).fill(`"${source.etag}"`));
});

test("overrides replace what is else carried over", async () => {
  const { sandbox, s3, pin } = await open();
  const overrides = {
    contentType: "text/y",
    metadata: { n: "2" },
    tags: { u: "3" },
    storageClass: "GLACIER",
    encryption: { type: "AES256" },
  } as const;
  await s3.copy({ source: pin("in", "a"), bucket: "out", key: "b", overrides }, call);
  expect(sandbox.object("out", "b")).toMatchObject({
    contentType: "text/y",
    metadata: { n: "2" },
    tags: { u: "3" },
    storageClass: "GLACIER",
    encryption: { algorithm: "AES256" },
    headers: { "cache-control": "no-store" },
  });
});

test("proves the copy by a checksum of the whole object, where the store has them", async () => {
  for (const [noChecksums, verified] of [
    [false, "checksum"],
    [true, "size"],
  ] as const) {
    const { sandbox, s3, pin } = await open({ sandbox: { quirks: { noChecksums } } });
    const value = Buffer.alloc(4);
    value.writeUInt32BE(crc32(bytes));
    sandbox.put("in", "a", bytes, {
      checksum: { algorithm: "CRC32", type: "FULL_OBJECT", value: value.toString("base64") },
    });
    expect(await s3.copy({ source: pin("in", "a"), bucket: "out", key: "b" }, call)).toMatchObject({ verified });
  }
});

test("copies the pinned version, part by part", async () => {
  const { sandbox, s3, pin } = await open();
  sandbox.createBucket("versioned", { versioning: true });
  sandbox.put("versioned", "a", bytes);
  const old = { ...pin("versioned", "a"), versionNamed: true };
  sandbox.put("versioned", "a", "newer");
  await s3.copy({ source: old, bucket: "out", key: "b" }, call);
  expect(sandbox.bytes("out", "b")?.equals(bytes)).toBe(true);
});

test("a source that changes between two parts leaves nothing behind", async () => {
  for (const enforceConditions of [true, false]) {
    const { sandbox, s3, pin } = await open({
      sandbox: { enforceConditions },
      connection: { conditionalCopy: enforceConditions },
      s3: { copyParts: 1 },
    });
    const source = pin("in", "a");
    const remove = sandbox.after("UploadPartCopy", () => {
      remove();
      sandbox.put("in", "a", Buffer.alloc(size, "n"));
    });
    expect(await errorOf(s3.copy({ source, bucket: "out", key: "b" }, call))).toMatchObject({ code: "SourceChanged" });
    expect(sandbox.keys("out")).toEqual([]);
    expect(sandbox.uploads()).toEqual([]);
  }
});

test("respects the destination's condition", async () => {
  const { sandbox, s3, pin } = await open();
  sandbox.put("out", "b", "mine");
  const request = { source: pin("in", "a"), bucket: "out", key: "b" };
  expect(await errorOf(s3.copy({ ...request, ifNoneMatch: "*" }, call))).toMatchObject({ code: "PreconditionFailed" });
  expect(sandbox.text("out", "b")).toBe("mine");
  expect(sandbox.uploads()).toEqual([]);
});

test.each(["slow-down", "reset", "status", "empty-200", "html-200", "error-in-200"] as const)(
  "one %s costs one part, not the copy",
  async (kind) => {
    const { sandbox, s3, pin } = await open();
    sandbox.fault({ kind, operation: "UploadPartCopy", times: 1 });
    await s3.copy({ source: pin("in", "a"), bucket: "out", key: "b" }, call);
    expect(sandbox.bytes("out", "b")?.equals(bytes)).toBe(true);
    expect(sandbox.calls("CreateMultipartUpload")).toBe(1);
  },
);

test.each(["empty-200", "html-200", "error-in-200", "reset"] as const)(
  "never takes a %s for a completed copy, and cleans up",
  async (kind) => {
    const { sandbox, s3, pin } = await open();
    sandbox.fault({ kind, operation: "CompleteMultipartUpload" });
    expect(await errorOf(s3.copy({ source: pin("in", "a"), bucket: "out", key: "b" }, call))).toMatchObject({
      retryable: true,
    });
    expect(sandbox.keys("out")).toEqual([]);
    expect(sandbox.uploads()).toEqual([]);
  },
);

test.each(["reset-after", "empty-200", "html-200"] as const)(
  "finds out by itself that a completion with a %s took effect",
  async (kind) => {
    const { sandbox, s3, pin } = await open();
    sandbox.fault({ kind, operation: "CompleteMultipartUpload", ...(kind !== "reset-after" && { after: true }) });
    expect(await s3.copy({ source: pin("in", "a"), bucket: "out", key: "b", ifNoneMatch: "*" }, call)).toMatchObject({
      size,
    });
  },
);

test.each(["CreateMultipartUpload", "UploadPartCopy"] as const)(
  "an abort during %s leaves nothing behind and rejects with its reason",
  async (operation) => {
    const { sandbox, s3, pin } = await open();
    const controller = new AbortController();
    const reason = new ActivityError("Cancelled", "on request");
    sandbox.before(operation, () => controller.abort(reason));
    await expect(
      s3.copy({ source: pin("in", "a"), bucket: "out", key: "b" }, { signal: controller.signal }),
    ).rejects.toBe(reason);
    expect(sandbox.uploads()).toEqual([]);
  },
);

test("goes on after an interruption with the parts that were done", async () => {
  const { sandbox, s3, pin } = await open({ s3: { copyParts: 1 } });
  const upload = remember();
  const controller = new AbortController();
  const shutdown = new ActivityError("WorkerShutdown", "the worker ends", { retryable: true });
  let seen = 0;
  sandbox.before("UploadPartCopy", () => {
    seen += 1;
    if (seen === 3) controller.abort(shutdown);
  });
  const request = { source: pin("in", "a"), bucket: "out", key: "b", upload };
  await expect(s3.copy(request, { signal: controller.signal })).rejects.toBe(shutdown);
  expect(upload.state).toMatchObject({ uploadId: sandbox.uploads()[0]?.uploadId, etag: pin("in", "a").etag });
  sandbox.clearHooks();
  sandbox.clearLog();
  const moved: number[] = [];
  await s3.copy({ ...request, onBytes: (count) => moved.push(count) }, call);
  expect(sandbox.bytes("out", "b")?.equals(bytes)).toBe(true);
  expect(sandbox.calls("UploadPartCopy")).toBeLessThan(4);
  expect(sandbox.calls("CreateMultipartUpload")).toBe(0);
  expect(moved.reduce((sum, one) => sum + one, 0)).toBe(size);
  expect([upload.state, sandbox.uploads()]).toEqual([undefined, []]);
});

test("a cancel is final: no upload is kept for later", async () => {
  const { sandbox, s3, pin } = await open();
  const upload = remember();
  const controller = new AbortController();
  sandbox.before("UploadPartCopy", () => controller.abort(new ActivityError("Cancelled", "on request")));
  await errorOf(s3.copy({ source: pin("in", "a"), bucket: "out", key: "b", upload }, { signal: controller.signal }));
  expect([upload.state, sandbox.uploads()]).toEqual([undefined, []]);
});

test("begins anew where the remembered upload is gone, or was of another content", async () => {
  const { sandbox, s3, pin } = await open();
  const upload = remember();
  const request = { source: pin("in", "a"), bucket: "out", key: "b", upload };
  upload.state = { uploadId: "gone", partSize: PART, bucket: "out", key: "b", etag: pin("in", "a").etag };
  await s3.copy(request, call);
  expect(sandbox.bytes("out", "b")?.equals(bytes)).toBe(true);

  sandbox.delete("out", "b");
  sandbox.fault({ kind: "reset", operation: "CompleteMultipartUpload" });
  await errorOf(s3.copy(request, call));
  expect(sandbox.uploads()).toHaveLength(1);
  sandbox.clearFaults();
  const other = Buffer.alloc(size, "o");
  sandbox.put("in", "a", other);
  await s3.copy({ ...request, source: pin("in", "a") }, call);
  expect(sandbox.bytes("out", "b")?.equals(other)).toBe(true);
  expect(sandbox.uploads()).toEqual([]);
});

test("begins anew where the remembered parts are none that an upload has, whoever wrote that down", async () => {
  const { sandbox, s3, pin } = await open();
  const upload = remember();
  const request = { source: pin("in", "a"), bucket: "out", key: "b", upload };
  for (const partSize of [1, 0, -PART, 1e12, Number.NaN]) {
    sandbox.delete("out", "b");
    sandbox.fault({ kind: "reset", operation: "CompleteMultipartUpload" });
    await errorOf(s3.copy(request, call));
    sandbox.clearFaults();
    if (upload.state !== undefined) upload.state = { ...upload.state, partSize };
    expect(await s3.copy(request, call)).toMatchObject({ size, etag: expect.stringMatching(/-4$/) });
    expect(sandbox.uploads()).toEqual([]);
  }
});

test.each([
  ["it could not be completed", {}],
  ["it was refused", { ifNoneMatch: "*" as const }],
])("leaves no upload behind that finds the work of an earlier try when %s", async (how, condition) => {
  const { sandbox, s3, pin } = await open();
  const request = { source: pin("in", "a"), bucket: "out", key: "b", upload: remember(), ...condition };
  const earlier = await s3.copy(request, call);
  if (how === "it could not be completed") sandbox.fault({ operation: "CompleteMultipartUpload", kind: "slow-down" });
  expect(await s3.copy(request, call)).toMatchObject({ etag: earlier.etag, size });
  expect(sandbox.counts.CreateMultipartUpload).toBe(2);
  expect(sandbox.uploads()).toEqual([]);
});

test("an upload that is not begun in time is a timeout, which may be tried again", async () => {
  const { sandbox, s3, pin } = await open({ s3: { requestTimeoutMs: 300 } });
  sandbox.fault({ operation: "CreateMultipartUpload", kind: "stall" });
  const error = await errorOf(s3.copy({ source: pin("in", "a"), bucket: "out", key: "b" }, call));
  expect(error).toMatchObject({ code: "Timeout", retryable: true });
});

test("leaves no upload behind whose parts cannot be listed any more at the last attempt", async () => {
  const { sandbox, s3, pin } = await open();
  const upload = { ...remember(), lastAttempt: false };
  const copy = (lastAttempt: boolean) =>
    s3.copy({ source: pin("in", "a"), bucket: "out", key: "b", upload: { ...upload, lastAttempt } }, call);
  sandbox.fault({ operation: "CompleteMultipartUpload", kind: "status", status: 500 });
  await errorOf(copy(false));
  expect(sandbox.uploads()).toHaveLength(1);
  sandbox.fault({ operation: "ListParts", kind: "status", status: 500 });
  expect(await errorOf(copy(true))).toMatchObject({ httpStatus: 500 });
  expect(sandbox.uploads()).toEqual([]);
});
