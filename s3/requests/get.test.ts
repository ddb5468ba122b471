import { createHash } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import { buffer, text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { ActivityError } from "../../model/activity-error.ts";
import type { OpenS3 } from "../create.ts";
import { compositeEtag } from "../../model/content/part-etags.ts";
import { call, content, errorOf, MIB, openOddStore, openS3 } from "../../test/open-s3.ts";

test("reads an object, whole and in ranges", async () => {
  const { sandbox, s3 } = await openS3();
  sandbox.put("in", "a", "hello", { contentType: "text/x", metadata: { m: "1" } });
  const object = { bucket: "in", key: "a" };
  const whole = await s3.get({ object }, call);
  expect(whole).toMatchObject({ size: 5, object: { size: 5, contentType: "text/x", metadata: { m: "1" } } });
  expect(await text(whole.body)).toBe("hello");
  for (const [range, expected] of [
    [{ start: 1, end: 3 }, "ell"],
    [{ start: 3 }, "lo"],
    [{ last: 2 }, "lo"],
  ] as const) {
    const part = await s3.get({ object, range }, call);
    expect(part).toMatchObject({ size: expected.length, object: { size: 5 } });
    expect(await text(part.body)).toBe(expected);
  }
  expect(await errorOf(s3.get({ object, range: { start: 9 } }, call))).toMatchObject({
    code: "InvalidRange",
    httpStatus: 416,
  });
});

test("reads only the content that was named, also where the store ignores conditions", async () => {
  for (const enforceConditions of [true, false]) {
    const { sandbox, s3 } = await openS3({ sandbox: { enforceConditions } });
    sandbox.put("in", "a", "hello");
    const object = { bucket: "in", key: "a" };
    expect(await errorOf(s3.get({ object, ifMatch: "0" }, call))).toMatchObject({ code: "PreconditionFailed" });
  }
});

test("an empty object is read as such", async () => {
  const { sandbox, s3 } = await openS3();
  sandbox.put("in", "a", "");
  const { body, size } = await s3.get({ object: { bucket: "in", key: "a" } }, call);
  expect([size, (await buffer(body)).length]).toEqual([0, 0]);
});

test("a body that ends too early is an error, never a short object", async () => {
  const { sandbox, s3 } = await openS3({ connection: { checksums: "when-required" } });
  sandbox.put("in", "a", "x".repeat(100_000));
  sandbox.fault({ kind: "truncate", operation: "GetObject" });
  const { body } = await s3.get({ object: { bucket: "in", key: "a" } }, call);
  expect(await errorOf(buffer(body))).toMatchObject({
    retryable: true,
    code: expect.stringMatching(/^(IncompleteBody|NetworkError)$/),
  });
});

test("a server that closes before all bytes came is not believed, not even without a checksum", async () => {
  const s3 = await openOddStore((_, response) => {
    // Node's own server would not send such a thing, so it is written to the socket as it is.
    response.socket?.end(
      'HTTP/1.1 200 OK\r\nETag: "1"\r\nLast-Modified: Wed, 21 Oct 2026 07:28:00 GMT\r\nContent-Length: 5\r\n\r\nhell',
    );
  });
  const { body } = await s3.get({ object: { bucket: "in", key: "a" } }, call);
  expect(await errorOf(buffer(body))).toMatchObject({ retryable: true });
});

test("a chunked body that is shorter than the object is an error", async () => {
  const s3 = await openOddStore((_, response) => {
    response.writeHead(206, {
      etag: '"1"',
      "last-modified": "Wed, 21 Oct 2026 07:28:00 GMT",
      "content-range": "bytes 0-4/5",
      "transfer-encoding": "chunked",
    });
    response.end("hell");
  });
  const read = s3
    .get({ object: { bucket: "in", key: "a" }, range: { start: 0 } }, call)
    .then(({ body }) => buffer(body));
  expect(await errorOf(read)).toMatchObject({ retryable: true });
});

test("a range that the store ignores is not taken for one", async () => {
  const s3 = await openOddStore((_, response) => {
    response.writeHead(200, { etag: '"1"', "last-modified": "Wed, 21 Oct 2026 07:28:00 GMT", "content-length": "5" });
    response.end("hello");
  });
  expect(await errorOf(s3.get({ object: { bucket: "in", key: "a" }, range: { start: 1 } }, call))).toMatchObject({
    code: "UnprovenResponse",
  });
});

test("a store that stops in the middle is given up after the idle timeout", async () => {
  const { sandbox, s3 } = await openS3({ s3: { idleTimeoutMs: 100 } });
  sandbox.put("in", "a", "x".repeat(100_000));
  sandbox.fault({ kind: "stall-body", operation: "GetObject" });
  const { body } = await s3.get({ object: { bucket: "in", key: "a" } }, call);
  expect(await errorOf(buffer(body))).toMatchObject({ code: "Timeout", retryable: true });
});

test("a slow reader is no stalled store", async () => {
  const { sandbox, s3 } = await openS3({ s3: { idleTimeoutMs: 300 } });
  const { bytes } = content(4 * MIB);
  sandbox.put("in", "a", bytes);
  const { body } = await s3.get({ object: { bucket: "in", key: "a" } }, call);
  const until = Date.now() + 700;
  while (Date.now() < until) await turn();
  expect((await buffer(body)).equals(bytes)).toBe(true);
});

test("an abort ends the body with its reason and closes the connection", async () => {
  const { sandbox, s3 } = await openS3();
  sandbox.put("in", "a", "x".repeat(10 * MIB));
  const controller = new AbortController();
  const { body } = await s3.get({ object: { bucket: "in", key: "a" } }, { signal: controller.signal });
  const reason = new ActivityError("Cancelled", "on request");
  const read = buffer(body);
  controller.abort(reason);
  await expect(read).rejects.toBe(reason);
});

test("a body that nobody reads on does not leave its socket behind", async () => {
  const { sandbox, s3 } = await openS3({ s3: { maxSockets: 1 } });
  sandbox.put("in", "a", "x".repeat(10 * MIB));
  for (let round = 0; round < 3; round += 1) {
    const { body } = await s3.get({ object: { bucket: "in", key: "a" } }, call);
    body.destroy();
  }
  expect(await s3.listPage({ bucket: "in" }, call)).toMatchObject({ objects: [{ key: "a" }] });
});

test("bytes that are not those of the object's ETag or checksum fail the reader at the end", async () => {
  const { sandbox, s3 } = await openS3({ connection: { checksums: "when-required" } });
  const object = { bucket: "in", key: "a" };
  sandbox.put("in", "a", "hello", { etag: "0123456789abcdef0123456789abcdef" });
  const { body } = await s3.get({ object }, call);
  expect(await errorOf(buffer(body))).toMatchObject({ code: "VerificationFailed", retryable: true });
});

/** An object of ten bytes that was uploaded in these parts. */
function uploadedInParts(parts: readonly string[], sent: string): Promise<OpenS3> {
  const digests = parts.map((part) => createHash("md5").update(part).digest());
  return openOddStore((request, response) => {
    const number = Number(new URL(request.url ?? "", "http://store").searchParams.get("partNumber"));
    const length = number === 0 ? 10 : (parts[number - 1] ?? "").length;
    const date = "Wed, 21 Oct 2026 07:28:00 GMT";
    response.writeHead(200, { etag: compositeEtag(digests), "last-modified": date, "content-length": length });
    response.end(request.method === "HEAD" ? undefined : sent);
  });
}

test("the ETag of an upload in parts is compared, with the size of the parts that the store tells", async () => {
  const object = { bucket: "in", key: "a" };
  const parts = ["01234", "56789"];
  const good = await (await uploadedInParts(parts, "0123456789")).get({ object }, call);
  expect(await text(good.body)).toBe("0123456789");
  expect(good.compared()).toBe("etag");
  const bad = await (await uploadedInParts(parts, "0123456780")).get({ object }, call);
  expect(await errorOf(buffer(bad.body))).toMatchObject({ code: "VerificationFailed" });
});

test("parts of different sizes are not compared, for their ETag says nothing that can be recomputed", async () => {
  const uneven = await uploadedInParts(["0123", "45", "6789"], "0123456789");
  const { body, compared } = await uneven.get({ object: { bucket: "in", key: "a" } }, call);
  expect(await text(body)).toBe("0123456789");
  expect(compared()).toBeUndefined();
});

test("another range than the one that was asked for is not taken for it", async () => {
  const s3 = await openOddStore((_, response) => {
    const date = "Wed, 21 Oct 2026 07:28:00 GMT";
    response.writeHead(206, {
      etag: '"1"',
      "last-modified": date,
      "content-range": "bytes 0-4/9",
      "content-length": 5,
    });
    response.end("hello");
  });
  const read = s3.get({ object: { bucket: "in", key: "a" }, range: { start: 4 } }, call);
  expect(await errorOf(read)).toMatchObject({
    code: "UnprovenResponse",
    message: expect.stringContaining("bytes 4-8/9"),
  });
});
