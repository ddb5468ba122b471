import { describe, expect, onTestFinished, test } from "vitest";
import { startSandbox } from "../../sandbox/index.ts";
import { ActivityError } from "../../model/activity-error.ts";
import { call, connectionTo, content, errorOf, MIB, openS3, type OpenedS3 } from "../../test/open-s3.ts";
import type { Connection } from "../../credentials/connection.ts";
import { createS3, type OpenS3 } from "../create.ts";

/** Two stores that know nothing of each other. */
async function openTwo(
  connection: Partial<Connection> = {},
): Promise<OpenedS3 & { there: Awaited<ReturnType<typeof startSandbox>>; to: OpenS3 }> {
  const here = await openS3({ s3: { uploadPartSize: 5 * MIB } });
  const there = await startSandbox({ credentials: [{ accessKeyId: "other", secretAccessKey: "other-secret" }] });
  onTestFinished(() => there.close());
  there.createBucket("out");
  const to = createS3(connectionTo(there, { name: "other", ...connection }), { uploadPartSize: 5 * MIB });
  onTestFinished(() => to.close());
  return { ...here, there, to };
}

describe.each([
  ["one request", {}],
  ["parts", { multipartThreshold: 5 * MIB }],
] as const)("across stores in %s", (how, connection) => {
  const size = 11 * MIB + 1;
  const { bytes } = content(size);

  test("copies content, headers, metadata and tags, and proves it by the MD5 of what went through", async () => {
    const { sandbox, s3, pin, there, to } = await openTwo(connection);
    sandbox.put("in", "a", bytes, {
      contentType: "text/x",
      metadata: { m: "1" },
      tags: { t: "v" },
      headers: { "cache-control": "no-store" },
    });
    const moved: number[] = [];
    const proof = await to.copyFrom(
      s3,
      { source: pin("in", "a"), bucket: "out", key: "b", onBytes: (count) => moved.push(count) },
      call,
    );
    expect(proof).toMatchObject({ bucket: "out", key: "b", size, verified: "etag" });
    expect(there.bytes("out", "b")?.equals(bytes)).toBe(true);
    expect(there.object("out", "b")).toMatchObject({
      contentType: "text/x",
      metadata: { m: "1" },
      tags: { t: "v" },
      headers: { "cache-control": "no-store" },
      parts: how === "parts" ? 3 : undefined,
    });
    expect(moved.reduce((sum, one) => sum + one, 0)).toBe(size);
  });

  test("makes nothing visible where the source breaks off, changed, or is not what its ETag says", async () => {
    const { sandbox, s3, pin, there, to } = await openTwo(connection);
    sandbox.put("in", "a", bytes);
    const source = pin("in", "a");
    const request = { source, bucket: "out", key: "b" };
    const fault = sandbox.fault({ kind: "truncate", operation: "GetObject" });
    expect(await errorOf(to.copyFrom(s3, request, call))).toMatchObject({ retryable: true });
    fault.remove();
    sandbox.put("in", "a", "newer");
    expect(await errorOf(to.copyFrom(s3, request, call))).toMatchObject({ code: "SourceChanged" });
    const wrong = "0123456789abcdef0123456789abcdef";
    sandbox.put("in", "a", bytes, { etag: wrong });
    expect(await errorOf(to.copyFrom(s3, { ...request, source: pin("in", "a") }, call))).toMatchObject({
      code: "VerificationFailed",
    });
    expect(there.keys("out")).toEqual([]);
    expect(there.uploads()).toEqual([]);
  });

  test("an abort ends both ends and leaves nothing behind", async () => {
    const { sandbox, s3, pin, there, to } = await openTwo(connection);
    sandbox.put("in", "a", bytes);
    const controller = new AbortController();
    const reason = new ActivityError("Cancelled", "on request");
    const onBytes = (): void => controller.abort(reason);
    await expect(
      to.copyFrom(s3, { source: pin("in", "a"), bucket: "out", key: "b", onBytes }, { signal: controller.signal }),
    ).rejects.toBe(reason);
    expect(there.keys("out")).toEqual([]);
    expect(there.uploads()).toEqual([]);
  });

  test("respects the destination's condition", async () => {
    const { sandbox, s3, pin, there, to } = await openTwo(connection);
    sandbox.put("in", "a", bytes);
    there.put("out", "b", "mine");
    expect(
      await errorOf(to.copyFrom(s3, { source: pin("in", "a"), bucket: "out", key: "b", ifNoneMatch: "*" }, call)),
    ).toMatchObject({ code: "PreconditionFailed" });
    expect(there.text("out", "b")).toBe("mine");
  });
});

test("an object that was uploaded in parts is proven by its checksum, else by reading it again", async () => {
  const { sandbox, s3, pin, there, to } = await openTwo();
  sandbox.put("in", "a", "hello", {
    etag: "00000000000000000000000000000000-2",
    checksum: { algorithm: "CRC32", type: "FULL_OBJECT", value: "NhCmhg==" },
  });
  expect(await to.copyFrom(s3, { source: pin("in", "a"), bucket: "out", key: "b" }, call)).toMatchObject({
    verified: "checksum",
  });
  sandbox.put("in", "a", "hello", {
    etag: "00000000000000000000000000000000-2",
    checksum: { algorithm: "CRC32", type: "COMPOSITE", value: "AAAAAA==-2" },
  });
  expect(await to.copyFrom(s3, { source: pin("in", "a"), bucket: "out", key: "b" }, call)).toMatchObject({
    verified: "checksum",
  });
  expect(there.text("out", "b")).toBe("hello");
  expect(sandbox.log.filter(({ operation }) => operation === "GetObject")).toHaveLength(3);
});

test("a copy that a key of the other store encrypts is read back, for its ETag says nothing", async () => {
  const { sandbox, s3, pin, there, to } = await openTwo({ checksums: "when-required" });
  sandbox.put("in", "a", "hello");
  const overrides = { encryption: { type: "aws:kms" as const } };
  const proof = await to.copyFrom(s3, { source: pin("in", "a"), bucket: "out", key: "b", overrides }, call);
  expect(proof).toMatchObject({ verified: "checksum" });
  expect(there.log.filter(({ operation }) => operation === "GetObject")).toHaveLength(1);
});

test("refuses to lose tags that may not be read, and copies from a store that has none", async () => {
  const { sandbox, s3, pin, there, to } = await openTwo();
  sandbox.put("in", "a", "hello", { tags: { t: "v" } });
  const request = { source: pin("in", "a"), bucket: "out", key: "b" };
  const fault = sandbox.fault({ kind: "status", operation: "GetObjectTagging", status: 403, code: "AccessDenied" });
  expect(await errorOf(to.copyFrom(s3, request, call))).toMatchObject({ code: "AccessDenied" });
  expect(there.keys("out")).toEqual([]);
  await to.copyFrom(s3, { ...request, overrides: { tags: {} } }, call);
  fault.remove();
  sandbox.fault({ kind: "status", operation: "GetObjectTagging", status: 501, code: "NotImplemented" });
  await to.copyFrom(s3, request, call);
  expect(there.text("out", "b")).toBe("hello");
});
