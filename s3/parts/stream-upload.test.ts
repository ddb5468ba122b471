import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { expect, onTestFinished, test, vi } from "vitest";
import { ActivityError } from "../../model/activity-error.ts";
import type { Sandbox } from "../../sandbox/index.ts";
import { call, connectionTo, content, errorOf, MIB, openS3 } from "../../test/open-s3.ts";
import { createS3 } from "../create.ts";
import type { UploadMemory, UploadState } from "../interface.ts";

/** A memory as a job has it, in Redis there. */
function remember(): UploadMemory & { state: UploadState | undefined } {
  const memory = {
    state: undefined as UploadState | undefined,
    load: () => Promise.resolve(memory.state),
    save: async (state: UploadState) => void (memory.state = state),
    clear: async () => void (memory.state = undefined),
  };
  return memory;
}

const size = 23 * MIB;
const { bytes, stream } = content(size);
const sha256 = createHash("sha256").update(bytes).digest("hex");

async function openTwo() {
  const connection = { multipartThreshold: 5 * MIB, transfer: { partSize: 5 * MIB } };
  const opened = await openS3({ connection });
  const other = createS3(connectionTo(opened.sandbox, { name: "other", ...connection }));
  return { ...opened, other, [Symbol.asyncDispose]: () => other.close() };
}

/** Has an attempt break where its upload is to become an object, as a dying process breaks: parts and upload stay. */
async function breakBeforeTheEnd(sandbox: Sandbox, run: () => Promise<unknown>): Promise<void> {
  const fault = sandbox.fault({
    operation: "CompleteMultipartUpload",
    kind: "status",
    status: 500,
    code: "InternalError",
  });
  expect(await errorOf(run())).toMatchObject({ retryable: true });
  fault.remove();
  expect(sandbox.uploads()).toHaveLength(1);
}

const sentParts = (sandbox: Sandbox): number =>
  sandbox.log.filter(({ operation }) => operation === "UploadPart").length;

test("a put does not send again the parts that an earlier attempt brought into the store", async () => {
  await using opened = await openTwo();
  const { sandbox, other } = opened;
  const upload = remember();
  const run = () => other.put({ bucket: "out", key: "b", body: stream(), size, sha256, attributes: {}, upload }, call);
  await breakBeforeTheEnd(sandbox, run);
  expect(sentParts(sandbox)).toBe(5);
  await run();
  expect(sentParts(sandbox)).toBe(5);
  expect(sandbox.bytes("out", "b")?.equals(bytes)).toBe(true);
  expect([sandbox.uploads(), upload.state]).toEqual([[], undefined]);
});

test("a put goes on with the parts of an earlier attempt that had other sizes, and never mixes them", async () => {
  await using opened = await openTwo();
  const { sandbox, other, s3 } = opened;
  const upload = remember();
  const request = () => ({ bucket: "out", key: "b", body: stream(), size, sha256, attributes: {}, upload });
  const larger = createS3(
    connectionTo(sandbox, { multipartThreshold: 5 * MIB, transfer: { partSize: 8 * MIB, concurrency: 1 } }),
  );
  onTestFinished(() => larger.close());
  const stop = new AbortController();
  let begun = 0;
  sandbox.before("UploadPart", () => {
    begun += 1;
    if (begun === 3) stop.abort(new ActivityError("WorkerShutdown", "x", { retryable: true }));
  });
  expect(await errorOf(larger.put(request(), { signal: stop.signal }))).toMatchObject({ code: "WorkerShutdown" });
  expect(upload.state).toMatchObject({ partSize: 8 * MIB });
  await other.put(request(), call);
  expect(begun).toBe(4);
  expect(sandbox.bytes("out", "b")?.equals(bytes)).toBe(true);
  expect((await s3.head({ bucket: "out", key: "b" }, call)).etag).toMatch(/-3$/);
});

test("an upload has nine parts of 5 MiB under way, where nobody says otherwise", async () => {
  const { sandbox, s3 } = await openS3({ connection: { multipartThreshold: 5 * MIB } });
  const large = content(60 * MIB);
  let held = 0;
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  sandbox.before("UploadPart", async () => {
    held += 1;
    await released;
  });
  const attributes = {};
  const put = s3.put({ bucket: "out", key: "b", body: large.stream(), size: large.bytes.length, attributes }, call);
  await vi.waitFor(() => expect(held).toBe(9), { timeout: 20_000 });
  release();
  expect((await put).etag).toMatch(/-12$/);
});

test("a put sends all parts again where nothing tells whether the content is the same, and leaves no upload behind", async () => {
  await using opened = await openTwo();
  const { sandbox, other } = opened;
  const upload = remember();
  const run = () => other.put({ bucket: "out", key: "b", body: stream(), size, attributes: {}, upload }, call);
  await breakBeforeTheEnd(sandbox, run);
  await run();
  expect(sentParts(sandbox)).toBe(10);
  expect(sandbox.bytes("out", "b")?.equals(bytes)).toBe(true);
  expect([sandbox.uploads(), upload.state]).toEqual([[], undefined]);
});

test("a part in the store that is not the content's is sent again, whatever is remembered", async () => {
  await using opened = await openTwo();
  const { sandbox, other } = opened;
  const upload = remember();
  const request = { bucket: "out", key: "b", size, attributes: {}, upload };
  const changed = Buffer.from(bytes);
  changed[6 * MIB] = 255 - (changed[6 * MIB] ?? 0);
  const before = Readable.from([changed], { objectMode: false });
  await breakBeforeTheEnd(sandbox, () => other.put({ ...request, body: before }, call));
  if (upload.state !== undefined) upload.state = { ...upload.state, etag: `sha256:${sha256}` };
  await other.put({ ...request, body: stream(), sha256 }, call);
  expect(sentParts(sandbox)).toBe(6);
  expect(sandbox.bytes("out", "b")?.equals(bytes)).toBe(true);
});

test("an object that is there although the answer was lost is believed, and its upload is not left open", async () => {
  await using opened = await openTwo();
  const { sandbox, other } = opened;
  const upload = remember();
  const run = () => other.put({ bucket: "out", key: "b", body: stream(), size, sha256, attributes: {}, upload }, call);
  const { etag } = await run();
  sandbox.fault({ operation: "CompleteMultipartUpload", kind: "status", status: 500, code: "InternalError" });
  expect(await run()).toMatchObject({ etag });
  expect([sandbox.uploads(), upload.state]).toEqual([[], undefined]);
});

test("a copy out of another store neither reads nor sends again what an earlier attempt copied", async () => {
  await using opened = await openTwo();
  const { sandbox, s3, other, pin } = opened;
  // Uploaded in parts of the same size, so that its ETag proves parts that are not read again.
  await s3.put({ bucket: "in", key: "a", body: stream(), size, attributes: {} }, call);
  const upload = remember();
  const run = () => other.copyFrom(s3, { source: pin("in", "a"), bucket: "out", key: "b", upload }, call);
  await breakBeforeTheEnd(sandbox, run);
  const before = sentParts(sandbox);
  sandbox.clearLog();
  await run();
  expect([before, sentParts(sandbox)]).toEqual([10, 0]);
  expect(sandbox.log.filter(({ operation }) => operation === "GetObject").length).toBeLessThanOrEqual(1);
  const copy = await s3.get({ object: { bucket: "out", key: "b" } }, call);
  expect((await buffer(copy.body)).equals(bytes)).toBe(true);
  expect(sandbox.object("out", "b")?.etag).toBe(sandbox.object("in", "a")?.etag);
});
