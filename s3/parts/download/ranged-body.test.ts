import { buffer } from "node:stream/consumers";
import { expect, test } from "vitest";
import { object, openLarge, SIZE } from "../../../test/stores/open-large.ts";
import { call, content, errorOf, MIB } from "../../../test/open-s3.ts";

test("reads a large object in ranges under the ETag of its first answer, and hands its bytes on in order", async () => {
  const { s3, bytes, ranges, sandbox } = await openLarge();
  const { body, size } = await s3.get({ object }, call);
  expect(size).toBe(SIZE);
  expect((await buffer(body)).equals(bytes)).toBe(true);
  expect(ranges()).toHaveLength(10);
  const fences = new Set(ranges().map(({ headers }) => headers["if-match"]));
  expect([...fences]).toEqual([`"${sandbox.object("in", "large")?.etag}"`]);
});

test("reads a large range of an object in ranges of its own", async () => {
  const { s3, bytes, ranges } = await openLarge();
  const { body } = await s3.get({ object, range: { start: MIB + 1, end: SIZE - 3 } }, call);
  expect((await buffer(body)).equals(bytes.subarray(MIB + 1, SIZE - 2))).toBe(true);
  expect(ranges().length).toBeGreaterThan(5);
});

test("asks again only for what is missing of a part that broke off", async () => {
  const { s3, bytes, sandbox, ranges } = await openLarge();
  sandbox.fault({ kind: "truncate", operation: "GetObject", afterBytes: 300_000, times: 4 });
  const { body } = await s3.get({ object }, call);
  expect((await buffer(body)).equals(bytes)).toBe(true);
  const asked = ranges().map(({ headers }) => {
    const [, start = "", end = ""] = /bytes=(\d+)-(\d+)/.exec(String(headers["range"])) ?? [];
    return Number(end) - Number(start) + 1;
  });
  expect(asked.filter((length) => length < MIB).length).toBeGreaterThanOrEqual(4);
});

test("reads on in one stream where the store ignores ranges", async () => {
  const { s3, bytes, sandbox } = await openLarge();
  sandbox.before("GetObject", ({ headers }) => {
    delete headers["range"];
  });
  const { body } = await s3.get({ object }, call);
  expect((await buffer(body)).equals(bytes)).toBe(true);
  expect(sandbox.log.filter(({ operation }) => operation === "GetObject")).toHaveLength(2);
});

test.each([true, false])(
  "fails as changed where the object is replaced while it is read (conditions: %s)",
  async (enforceConditions) => {
    const { s3, sandbox } = await openLarge({ sandbox: { enforceConditions } });
    const { body } = await s3.get({ object }, call);
    sandbox.put("in", "large", content(SIZE).bytes.fill(7));
    expect(await errorOf(buffer(body))).toMatchObject({ code: "SourceChanged", retryable: false });
  },
);

test("goes on part by part where the memory for parts read ahead is spent", async () => {
  const { s3, bytes } = await openLarge({ s3: { downloadBuffer: MIB } });
  const two = await Promise.all([s3.get({ object }, call), s3.get({ object }, call)]);
  for (const read of await Promise.all(two.map(({ body }) => buffer(body)))) expect(read.equals(bytes)).toBe(true);
});

test("an abort in the middle ends the body with its reason", async () => {
  const { s3 } = await openLarge();
  const controller = new AbortController();
  const { body } = await s3.get({ object }, { signal: controller.signal });
  const reason = new Error("cancelled");
  body.once("data", () => controller.abort(reason));
  await expect(buffer(body)).rejects.toBe(reason);
});
