import { describe, expect, test } from "vitest";
import type { FaultKind } from "../sandbox/index.ts";
import { call, errorOf, MIB, openS3, type OpenOptions, openOddStore } from "../test/open-s3.ts";

// One suite over both paths: what the fast path takes must mean the same as what the SDK takes.
describe.each([
  ["the fast path", true],
  ["the SDK", false],
] as const)("over %s", (_, fastPath) => {
  const open = (options: OpenOptions = {}): ReturnType<typeof openS3> =>
    openS3({ ...options, s3: { fastPath, ...options.s3 } });

  describe("copy", () => {
    test("copies content, headers, metadata and tags, and proves it by equal ETags", async () => {
      const { sandbox, s3, pin, events } = await open();
      sandbox.put("in", "a", "hello", {
        contentType: "text/x",
        metadata: { a: "1" },
        tags: { t: "v" },
        headers: { "cache-control": "no-store" },
      });
      const proof = await s3.copy({ source: pin("in", "a"), bucket: "out", key: "b" }, call);
      expect(proof).toMatchObject({ bucket: "out", key: "b", size: 5, etag: pin("in", "a").etag, verified: "etag" });
      expect(sandbox.object("out", "b")).toMatchObject({
        contentType: "text/x",
        metadata: { a: "1" },
        tags: { t: "v" },
        headers: { "cache-control": "no-store" },
      });
      expect(events).toMatchObject([
        { operation: "CopyObject", path: fastPath ? "fast" : "sdk", status: 200, bytes: 5, throttled: false },
      ]);
    });

    test("keeps the storage class, which S3 would drop", async () => {
      const { sandbox, s3, pin } = await open();
      sandbox.put("in", "a", "hello", { storageClass: "STANDARD_IA" });
      await s3.copy({ source: pin("in", "a"), bucket: "out", key: "a" }, call);
      expect(sandbox.object("out", "a")?.storageClass).toBe("STANDARD_IA");
    });

    test("keeps metadata and other headers when only the content type is replaced", async () => {
      const { sandbox, s3, pin } = await open();
      sandbox.put("in", "a", "hello", {
        contentType: "text/x",
        metadata: { a: "1" },
        tags: { t: "v" },
        headers: {
          "cache-control": "no-store",
          "content-disposition": "inline",
          "content-language": "de",
          "content-encoding": "identity",
        },
      });
      await s3.copy({ source: pin("in", "a"), bucket: "out", key: "a", overrides: { contentType: "text/y" } }, call);
      expect(sandbox.object("out", "a")).toMatchObject({
        contentType: "text/y",
        metadata: { a: "1" },
        tags: { t: "v" },
        headers: {
          "cache-control": "no-store",
          "content-disposition": "inline",
          "content-language": "de",
          "content-encoding": "identity",
        },
      });
    });

    test("replaces metadata, tags, storage class and encryption where asked", async () => {
      const { sandbox, s3, pin } = await open();
      sandbox.put("in", "a", "hello", { contentType: "text/x", metadata: { a: "1" }, tags: { t: "v" } });
      const overrides = {
        metadata: { n: "ü" },
        tags: { "a b": "c&d=e" },
        storageClass: "GLACIER",
        encryption: { type: "aws:kms", keyId: "k1" },
      } as const;
      const proof = await s3.copy({ source: pin("in", "a"), bucket: "out", key: "a", overrides }, call);
      expect(sandbox.object("out", "a")).toMatchObject({
        contentType: "text/x",
        tags: { "a b": "c&d=e" },
        storageClass: "GLACIER",
      });
      expect(sandbox.object("out", "a")?.encryption).toMatchObject({ algorithm: "aws:kms", kmsKeyId: "k1" });
      expect((await s3.head({ bucket: "out", key: "a" }, call)).metadata).toEqual({ n: "ü" });
      expect(proof.verified).not.toBe("etag");
    });

    test("encrypts the copy with the source's own KMS key, which S3 would not", async () => {
      const { sandbox, s3, pin } = await open();
      sandbox.put("in", "a", "hello", {
        encryption: { algorithm: "aws:kms", kmsKeyId: "source-key" },
        etag: "0123456789abcdef0123456789abcdef",
      });
      await s3.copy({ source: pin("in", "a"), bucket: "out", key: "a", ifNoneMatch: "*" }, call);
      expect(sandbox.object("out", "a")?.encryption).toMatchObject({ algorithm: "aws:kms", kmsKeyId: "source-key" });
      expect(sandbox.text("out", "a")).toBe("hello");
    });

    test.each([
      "ä/ß +%&?=#'()!*",
      "x\r\ny",
      "//double//",
      "a?versionId=1",
      "日本/\u{1F600}",
      "~tilde",
      "a\\b",
      ' "q" ',
    ])("copies, reads and deletes the key %j byte for byte", async (key) => {
      const { sandbox, s3, pin } = await open();
      sandbox.put("in", key, "odd");
      await s3.copy({ source: pin("in", key), bucket: "out", key }, call);
      expect(sandbox.keys("out")).toEqual([key]);
      expect(await s3.head({ bucket: "out", key }, call)).toMatchObject({ key, size: 3 });
      await s3.delete({ object: { bucket: "out", key } }, call);
      expect(sandbox.keys("out")).toEqual([]);
    });

    test("copies the pinned version, not the newest", async () => {
      const { sandbox, s3, pin } = await open();
      sandbox.createBucket("versioned", { versioning: true });
      sandbox.put("versioned", "a", "old");
      const old = pin("versioned", "a");
      sandbox.put("versioned", "a", "newer");
      await s3.copy({ source: { ...old, versionNamed: true }, bucket: "out", key: "a" }, call);
      expect(sandbox.text("out", "a")).toBe("old");
    });

    test("refuses a source that changed since it was pinned", async () => {
      const { sandbox, s3, pin } = await open();
      sandbox.put("in", "a", "hello");
      const old = pin("in", "a");
      sandbox.put("in", "a", "newer");
      expect(await errorOf(s3.copy({ source: old, bucket: "out", key: "a" }, call))).toMatchObject({
        code: "SourceChanged",
        retryable: false,
      });
      expect(sandbox.keys("out")).toEqual([]);
    });

    test("notices a changed source also where the store ignores conditions", async () => {
      const { sandbox, s3, pin } = await open({
        sandbox: { enforceConditions: false },
        connection: { conditionalCopy: false },
      });
      sandbox.put("in", "a", "hello");
      const old = pin("in", "a");
      sandbox.put("in", "a", "newer");
      expect(await errorOf(s3.copy({ source: old, bucket: "out", key: "a" }, call))).toMatchObject({
        code: expect.stringMatching(/^(SourceChanged|VerificationFailed)$/),
      });
    });

    test("names the missing source, and the missing bucket", async () => {
      const { sandbox, s3, pin } = await open();
      sandbox.put("in", "a.txt", "hello");
      const gone = pin("in", "a.txt");
      expect((await errorOf(s3.copy({ source: gone, bucket: "nope", key: "a" }, call))).message).toContain(
        "no bucket nope",
      );
      sandbox.delete("in", "a.txt");
      expect(await errorOf(s3.copy({ source: gone, bucket: "out", key: "b" }, call))).toMatchObject({
        code: "NoSuchKey",
        message: expect.stringContaining("NoSuchKey: no object s3://in/a.txt"),
        httpStatus: 404,
        retryable: false,
      });
    });

    test("leaves an existing destination alone where it must not overwrite", async () => {
      const { sandbox, s3, pin } = await open();
      sandbox.put("in", "a", "hello");
      sandbox.put("out", "a", "mine");
      const request = { source: pin("in", "a"), bucket: "out", key: "a" };
      expect(await errorOf(s3.copy({ ...request, ifNoneMatch: "*" }, call))).toMatchObject({
        code: "PreconditionFailed",
      });
      expect(await errorOf(s3.copy({ ...request, ifMatch: "0" }, call))).toMatchObject({ code: "PreconditionFailed" });
      expect(sandbox.text("out", "a")).toBe("mine");
      await s3.copy({ ...request, ifMatch: pin("out", "a").etag }, call);
      expect(sandbox.text("out", "a")).toBe("hello");
    });

    test("calls it a changed source where both conditions were sent and the source's failed", async () => {
      const { sandbox, s3, pin } = await open();
      sandbox.put("in", "a", "hello");
      const old = pin("in", "a");
      sandbox.put("in", "a", "newer");
      expect(await errorOf(s3.copy({ source: old, bucket: "out", key: "a", ifNoneMatch: "*" }, call))).toMatchObject({
        code: "SourceChanged",
      });
    });

    test("succeeds where its own first try took effect and only the answer was lost", async () => {
      const { sandbox, s3, pin } = await open();
      sandbox.put("in", "a", "hello");
      sandbox.fault({ kind: "reset-after", operation: "CopyObject", times: 1 });
      const proof = await s3.copy({ source: pin("in", "a"), bucket: "out", key: "a", ifNoneMatch: "*" }, call);
      expect(proof).toMatchObject({ verified: "etag", etag: pin("in", "a").etag });
    });

    test.each(["error-in-200", "empty-200", "html-200"] as const)("never takes a %s for a copy", async (kind) => {
      const { sandbox, s3, pin } = await open();
      sandbox.put("in", "a", "hello");
      sandbox.fault({ kind, operation: "CopyObject" });
      expect(await errorOf(s3.copy({ source: pin("in", "a"), bucket: "out", key: "a" }, call))).toMatchObject({
        retryable: true,
      });
      expect(sandbox.keys("out")).toEqual([]);
    });

    test.each([
      [true, "size"],
      [false, "checksum"],
    ])(
      "proves a copy of a multipart object by what the store has (no checksums: %s): %s",
      async (noChecksums, verified) => {
        const { sandbox, s3, pin } = await open({ sandbox: { quirks: { noChecksums } } });
        sandbox.put("in", "a", "hello", { etag: "00000000000000000000000000000000-2" });
        expect(await s3.copy({ source: pin("in", "a"), bucket: "out", key: "a" }, call)).toMatchObject({ verified });
      },
    );

    test.each([
      ["another ETag than was answered", "hell0", {}],
      ["another size", "hel", { etag: "5d41402abc4b2a76b9719d911017c592" }],
    ])("does not believe a copy that then has %s", async (__, body, made) => {
      const { sandbox, s3, pin } = await open({ sandbox: { quirks: { noChecksums: true } } });
      // A multipart source, so that the answer's ETag alone proves nothing.
      sandbox.put("in", "a", "hello", { etag: "00000000000000000000000000000000-2" });
      sandbox.after("CopyObject", () => void sandbox.put("out", "a", body, made));
      expect(await errorOf(s3.copy({ source: pin("in", "a"), bucket: "out", key: "a" }, call))).toMatchObject({
        code: "VerificationFailed",
      });
    });

    test("does not believe a copy with other content", async () => {
      const { sandbox, s3, pin } = await open();
      sandbox.put("in", "a", "hello");
      const source = pin("in", "a");
      sandbox.after("CopyObject", () => void sandbox.put("out", "a", "hell0"));
      // Its answer has the ETag of the source; that of another content comes from a store that copies wrongly.
      sandbox.put("in", "b", "hello", { etag: "00000000000000000000000000000000-2" });
      expect(await errorOf(s3.copy({ source: { ...pin("in", "b") }, bucket: "out", key: "a" }, call))).toMatchObject({
        code: "VerificationFailed",
      });
      expect(await s3.copy({ source, bucket: "out", key: "b" }, call)).toMatchObject({ verified: "etag" });
    });
  });

  describe("head", () => {
    test("tells all that there is", async () => {
      const { sandbox, s3 } = await open();
      sandbox.put("in", "a", "hello", {
        contentType: "text/x",
        metadata: { a: "=?UTF-8?Q?=C3=A9_1?=", b: "plain" },
        storageClass: "STANDARD_IA",
        headers: { "cache-control": "no-store", expires: "Wed, 21 Oct 2026 07:28:00 GMT" },
        checksum: { algorithm: "CRC32", type: "FULL_OBJECT", value: "NhCmhg==" },
      });
      expect(await s3.head({ bucket: "in", key: "a" }, call)).toEqual({
        bucket: "in",
        key: "a",
        size: 5,
        etag: "5d41402abc4b2a76b9719d911017c592",
        lastModified: expect.stringMatching(/Z$/),
        storageClass: "STANDARD_IA",
        contentType: "text/x",
        cacheControl: "no-store",
        expires: "Wed, 21 Oct 2026 07:28:00 GMT",
        encryption: "AES256",
        metadata: { a: "é 1", b: "plain" },
        checksums: { CRC32: "NhCmhg==" },
      });
    });

    test("tells a missing object from a missing bucket, although HEAD answers have no body", async () => {
      const { s3 } = await open();
      expect(await errorOf(s3.head({ bucket: "in", key: "a" }, call))).toMatchObject({
        code: "NoSuchKey",
        message: expect.stringContaining("no object s3://in/a"),
      });
      expect(await errorOf(s3.head({ bucket: "in", key: "b" }, call))).toMatchObject({ code: "NoSuchKey" });
      expect(await errorOf(s3.head({ bucket: "nope", key: "a" }, call))).toMatchObject({
        code: "NoSuchBucket",
        message: expect.stringContaining("no bucket nope"),
      });
      expect(await s3.find({ bucket: "in", key: "a" }, call)).toBeUndefined();
      expect(await errorOf(s3.find({ bucket: "nope", key: "a" }, call))).toMatchObject({ code: "NoSuchBucket" });
    });

    test("names the reason of a refusal that HEAD cannot say", async () => {
      const { sandbox, connect } = await open();
      sandbox.put("in", "a", "hello");
      const credentials = { accessKeyId: "nobody", secretAccessKey: "SECRET-CANARY" };
      const stranger = connect({ credentials: () => Promise.resolve(credentials) });
      const error = await errorOf(stranger.head({ bucket: "in", key: "a" }, call));
      expect(error).toMatchObject({ code: "InvalidAccessKeyId", httpStatus: 403, retryable: false });
      const forger = connect({
        credentials: () => Promise.resolve({ ...sandbox.credentials, secretAccessKey: "SECRET-CANARY" }),
      });
      expect(await errorOf(forger.head({ bucket: "in", key: "a" }, call))).toMatchObject({
        code: "SignatureDoesNotMatch",
      });
    });

    test("does not take a web page for an object", async () => {
      const { sandbox, s3 } = await open();
      sandbox.put("in", "a", "hello");
      sandbox.fault({ kind: "html-200", operation: "HeadObject" });
      expect(await errorOf(s3.head({ bucket: "in", key: "a" }, call))).toMatchObject({
        code: "UnprovenResponse",
        retryable: true,
      });
    });
  });

  describe("delete", () => {
    test("deletes, and counts what is already gone as deleted", async () => {
      const { sandbox, s3 } = await open();
      sandbox.put("in", "a", "hello");
      expect(await s3.delete({ object: { bucket: "in", key: "a" } }, call)).toEqual({ deleteMarker: false });
      expect(await s3.delete({ object: { bucket: "in", key: "a" } }, call)).toEqual({ deleteMarker: false });
      expect(await s3.delete({ object: { bucket: "in", key: "a" }, ifMatch: "0" }, call)).toEqual({
        deleteMarker: false,
      });
      expect(sandbox.keys("in")).toEqual([]);
    });

    test("makes a delete marker in a versioned bucket, and deletes one version where it is named", async () => {
      const { sandbox, s3 } = await open();
      sandbox.createBucket("versioned", { versioning: true });
      const { versionId = "" } = sandbox.put("versioned", "a", "hello");
      expect(await s3.delete({ object: { bucket: "versioned", key: "a" } }, call)).toMatchObject({
        deleteMarker: true,
        versionId: expect.any(String),
      });
      expect(await s3.delete({ object: { bucket: "versioned", key: "a", versionId } }, call)).toEqual({
        deleteMarker: false,
        versionId,
      });
      expect(sandbox.versions("versioned", "a")).toMatchObject([{ deleteMarker: true }]);
    });

    test.each([true, false])(
      "deletes only the content that was named (enforced by the store: %s)",
      async (conditionalDelete) => {
        const { sandbox, s3, pin } = await open({
          connection: { conditionalDelete },
          sandbox: { enforceConditions: conditionalDelete },
        });
        sandbox.put("in", "a", "hello");
        expect(await errorOf(s3.delete({ object: { bucket: "in", key: "a" }, ifMatch: "0" }, call))).toMatchObject({
          code: "PreconditionFailed",
        });
        expect(sandbox.keys("in")).toEqual(["a"]);
        await s3.delete({ object: { bucket: "in", key: "a" }, ifMatch: pin("in", "a").etag }, call);
        expect(sandbox.keys("in")).toEqual([]);
      },
    );

    test.each([true, false])(
      "deleteUnchanged keeps a source that changed (enforced by the store: %s)",
      async (conditionalDelete) => {
        const { sandbox, s3, pin } = await open({
          connection: { conditionalDelete },
          sandbox: { enforceConditions: conditionalDelete },
        });
        sandbox.put("in", "a", "hello");
        const old = pin("in", "a");
        sandbox.put("in", "a", "newer");
        expect(await errorOf(s3.deleteUnchanged(old, call))).toMatchObject({ code: "SourceChanged" });
        expect(sandbox.text("in", "a")).toBe("newer");
        const guarantee = conditionalDelete ? "conditional" : "best-effort";
        expect(await s3.deleteUnchanged(pin("in", "a"), call)).toEqual({ cutOff: false, guarantee });
        expect(await s3.deleteUnchanged(old, call)).toEqual({ cutOff: false, guarantee });
        expect(sandbox.keys("in")).toEqual([]);
      },
    );

    test.each([true, false])(
      "deleteUnchanged succeeds where only the answer was lost (enforced by the store: %s)",
      async (conditionalDelete) => {
        const { sandbox, s3, pin } = await open({
          connection: { conditionalDelete },
          sandbox: { enforceConditions: conditionalDelete },
        });
        sandbox.createBucket("versioned", { versioning: true });
        for (const bucket of ["in", "versioned"]) {
          sandbox.put(bucket, "a", "hello");
          const fault = sandbox.fault({ kind: "reset-after", operation: "DeleteObject", times: 1 });
          await s3.deleteUnchanged(pin(bucket, "a"), call);
          expect(fault.hits).toBe(1);
          expect(sandbox.keys(bucket)).toEqual([]);
        }
      },
    );

    test("never repeats an unconditional delete over what was written after the first took effect", async () => {
      const { sandbox, s3, pin } = await open({
        connection: { conditionalDelete: false },
        sandbox: { enforceConditions: false },
      });
      sandbox.put("in", "a", "hello");
      const source = pin("in", "a");
      sandbox.fault({ kind: "reset-after", operation: "DeleteObject", times: 1 });
      const remove = sandbox.after("DeleteObject", () => {
        remove();
        sandbox.put("in", "a", "newer");
      });
      expect(await errorOf(s3.deleteUnchanged(source, call))).toMatchObject({ code: "SourceChanged" });
      expect(sandbox.text("in", "a")).toBe("newer");
    });

    test("deletes exactly the version that was named", async () => {
      const { sandbox, s3, pin } = await open();
      sandbox.createBucket("versioned", { versioning: true });
      sandbox.put("versioned", "a", "old");
      const old = { ...pin("versioned", "a"), versionNamed: true };
      sandbox.put("versioned", "a", "newer");
      expect(await s3.deleteUnchanged(old, call)).toEqual({ cutOff: false, guarantee: "conditional" });
      expect(sandbox.versions("versioned", "a").map(({ etag }) => etag)).not.toContain(old.etag);
      expect(sandbox.text("versioned", "a")).toBe("newer");
    });

    test("does not take a web page for a delete", async () => {
      const { sandbox, s3, pin } = await open();
      sandbox.put("in", "a", "hello");
      sandbox.fault({ kind: "html-200", operation: "DeleteObject" });
      expect(await errorOf(s3.delete({ object: { bucket: "in", key: "a" } }, call))).toMatchObject({
        code: "UnprovenResponse",
      });
      expect(await errorOf(s3.deleteUnchanged(pin("in", "a"), call))).toMatchObject({ code: "UnprovenResponse" });
    });
  });

  describe("under faults", () => {
    const operations = ["HeadObject", "CopyObject", "DeleteObject"] as const;
    const act = async (
      operation: (typeof operations)[number],
      opened: Awaited<ReturnType<typeof openS3>>,
      signal = call.signal,
    ): Promise<unknown> => {
      const { s3, pin } = opened;
      if (operation === "HeadObject") return await s3.head({ bucket: "in", key: "a" }, { signal });
      if (operation === "CopyObject")
        return await s3.copy({ source: pin("in", "a"), bucket: "out", key: "a" }, { signal });
      return await s3.deleteUnchanged(pin("in", "a"), { signal });
    };
    const cases = operations.flatMap((operation) =>
      (["status", "reset", "truncate"] as const).map((kind) => [operation, kind] as const),
    );

    test.each(cases)("%s survives one %s", async (operation, kind: FaultKind) => {
      const opened = await open();
      opened.sandbox.put("in", "a", "hello");
      opened.sandbox.fault({ kind, operation, times: 1 });
      await expect(act(operation, opened)).resolves.toBeDefined();
    });

    test.each(operations)("%s surfaces SlowDown at once, without asking again", async (operation) => {
      const opened = await open();
      opened.sandbox.put("in", "a", "hello");
      opened.sandbox.fault({ kind: "slow-down", operation });
      const error = await errorOf(act(operation, opened));
      expect(error).toMatchObject({ code: "SlowDown", retryable: true, httpStatus: 503 });
      expect(opened.sandbox.calls(operation)).toBe(1);
      expect(opened.events.at(-1)).toMatchObject({ throttled: true });
    });

    test.each(operations)("%s ends when the store never answers", async (operation) => {
      const opened = await open({ s3: { requestTimeoutMs: 150, copyTimeoutMs: 150, idleTimeoutMs: 150 } });
      opened.sandbox.put("in", "a", "hello");
      opened.sandbox.fault({ kind: "stall", operation });
      expect(await errorOf(act(operation, opened))).toMatchObject({ code: "Timeout", retryable: true });
      // Who waited so long is not made to wait again.
      expect(opened.sandbox.calls(operation)).toBe(1);
    });

    test.each(operations)("%s ends at once with the reason of an abort", async (operation) => {
      const opened = await open();
      opened.sandbox.put("in", "a", "hello");
      const controller = new AbortController();
      // Whatever the reason is, it is not wrapped.
      const reason = new TypeError("on request");
      opened.sandbox.before(operation, () => {
        controller.abort(reason);
        return new Promise(() => undefined);
      });
      await expect(act(operation, opened, controller.signal)).rejects.toBe(reason);
      await expect(act(operation, opened, controller.signal)).rejects.toBe(reason);
    });

    test("says where a store is not, and that trying later may help", async () => {
      const { sandbox, s3 } = await open();
      await sandbox.close();
      expect(await errorOf(s3.head({ bucket: "in", key: "a" }, call))).toMatchObject({
        code: "NetworkError",
        retryable: true,
        message: expect.stringContaining(sandbox.endpoint),
      });
    });
  });

  test("finds a bucket in another region, and goes there at once the next time", async () => {
    for (const wrongRegion of ["redirect", "malformed"] as const) {
      const { sandbox, s3, pin, events } = await open({ sandbox: { wrongRegion } });
      sandbox.createBucket("far", { region: "eu-west-3" });
      sandbox.put("far", "a", "hello");
      sandbox.put("in", "b", "hello");
      expect(await s3.head({ bucket: "far", key: "a" }, call)).toMatchObject({ size: 5 });
      events.length = 0;
      await s3.head({ bucket: "far", key: "a" }, call);
      await s3.copy({ source: pin("in", "b"), bucket: "far", key: "b" }, call);
      await s3.delete({ object: { bucket: "far", key: "a" } }, call);
      expect(events.map(({ operation, status }) => [operation, status])).toEqual([
        ["HeadObject", 200],
        ["CopyObject", 200],
        ["DeleteObject", 204],
      ]);
    }
  });

  test("sends the expected owner with every call, at both ends of a copy", async () => {
    const { sandbox, s3, pin } = await open({
      connection: { expectedBucketOwner: "000000000000", multipartThreshold: 5 * MIB },
      s3: { copyPartSize: 5 * MIB },
    });
    sandbox.put("in", "a", "hello");
    sandbox.put("in", "big", Buffer.alloc(6 * MIB));
    await s3.copy({ source: pin("in", "a"), bucket: "out", key: "a" }, call);
    await s3.copy({ source: pin("in", "big"), bucket: "out", key: "big" }, call);
    await s3.head({ bucket: "in", key: "a" }, call);
    await s3.listPage({ bucket: "in" }, call);
    await s3.deleteMany({ bucket: "out", items: [{ key: "a" }] }, call);
    await s3.deleteUnchanged(pin("in", "a"), call);
    expect(sandbox.log.filter(({ headers }) => headers["x-amz-expected-bucket-owner"] !== "000000000000")).toEqual([]);
    const copies = sandbox.log.filter(({ operation }) => operation === "CopyObject" || operation === "UploadPartCopy");
    expect(copies.filter(({ headers }) => headers["x-amz-source-expected-bucket-owner"] !== "000000000000")).toEqual(
      [],
    );
  });

  test("reads copy ETags without quotes, as Ceph's gateway sends them", async () => {
    const { sandbox, s3, pin } = await open({ sandbox: { quirks: { unquotedCopyEtags: true } } });
    sandbox.put("in", "a", "hello");
    expect(await s3.copy({ source: pin("in", "a"), bucket: "out", key: "a" }, call)).toMatchObject({
      verified: "etag",
    });
  });

  test("asks for new credentials when the store says that they have expired, and only then fails as retryable", async () => {
    const { sandbox, connect } = await open();
    sandbox.put("in", "a", "hello");
    sandbox.addCredentials({ accessKeyId: "second", secretAccessKey: "second-secret" });
    const given = [sandbox.credentials, { accessKeyId: "second", secretAccessKey: "second-secret" }];
    let asked = 0;
    const s3 = connect({ credentials: () => Promise.resolve(given[Math.min(asked++, 1)] ?? sandbox.credentials) });
    await s3.head({ bucket: "in", key: "a" }, call);
    sandbox.expireCredentials(sandbox.credentials.accessKeyId);
    expect(await errorOf(s3.head({ bucket: "in", key: "a" }, call))).toMatchObject({
      code: "ExpiredToken",
      retryable: true,
    });
    expect(await s3.head({ bucket: "in", key: "a" }, call)).toMatchObject({ size: 5 });
    expect(asked).toBe(2);
  });

  test("says that there are no credentials, and not what the provider said", async () => {
    const { connect } = await open();
    const refusal = Object.assign(new Error("command --password SECRET-CANARY failed"), {
      name: "CredentialsProviderError",
    });
    const s3 = connect({ credentials: () => Promise.reject(refusal) });
    const error = await errorOf(s3.head({ bucket: "in", key: "a" }, call));
    expect(error).toMatchObject({ code: "CredentialsUnavailable" });
    expect(error.message).not.toContain("CANARY");
  });

  test("keeps secrets that a server echoes out of its errors", async () => {
    const customerKey = Buffer.alloc(32, "sesame").toString("base64");
    const proxied = "Basic c2VzYW1lOnNlc2FtZQ== and " + `${"CANARY".repeat(5)}%2F`.repeat(4);
    const s3 = await openOddStore(
      (request, response) => {
        const message = `key ${customerKey} by ${proxied} bad header ${request.headers.authorization} token ${String(request.headers["x-amz-security-token"])}`;
        response.writeHead(400, { "content-type": "application/xml" });
        response.end(`<Error><Code>InvalidRequest</Code><Message>${message}</Message></Error>`);
      },
      {
        credentials: () =>
          Promise.resolve({
            accessKeyId: "AKIACANARYCANARY0000",
            secretAccessKey: "secret",
            sessionToken: `CANARY${"x".repeat(200)}`,
          }),
      },
      { fastPath },
    );
    const error = await errorOf(s3.get({ object: { bucket: "in", key: "a" } }, call));
    expect(error).toMatchObject({ code: "InvalidRequest" });
    expect(JSON.stringify(error)).not.toMatch(/CANARY|Signature=[0-9a-f]/);
    expect(error.message).not.toMatch(/c2VzYW1l/);
    expect(error.message).not.toContain(customerKey);
  });
});
