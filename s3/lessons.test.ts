import { expect, test } from "vitest";
import { call, content, errorOf, openOddStore, openS3 } from "../test/open-s3.ts";
import type { Lesson } from "./lessons.ts";

test("tells once that a store has no bulk delete, and deletes one by one from then on", async () => {
  const told: Lesson[] = [];
  const { sandbox, s3 } = await openS3({
    sandbox: { quirks: { deleteObjects: "NotImplemented" } },
    s3: { onLesson: (_, lesson) => told.push(lesson) },
  });
  const bulk = () => sandbox.log.filter(({ operation }) => operation === "DeleteObjects").length;
  const asked: number[] = [];
  for (const round of [1, 2]) {
    const items = [1, 2, 3].map((number) => ({ key: `${round}-${number}` }));
    for (const { key } of items) sandbox.put("in", key, "x");
    const outcomes = await s3.deleteMany({ bucket: "in", items }, call);
    expect(outcomes.every(({ error }) => error === undefined)).toBe(true);
    asked.push(bulk());
  }
  expect(sandbox.keys("in")).toEqual([]);
  expect(told).toEqual(["bulk-delete-md5", "bulk-delete-missing"]);
  expect(s3.lessons()).toEqual(told);
  // What the first round taught, the second did not ask again.
  expect(asked[1]).toBe(asked[0]);
});

test.each(["MethodNotAllowed", "MissingContentMD5"] as const)("learns from %s too", async (deleteObjects) => {
  const { sandbox, s3 } = await openS3({ sandbox: { quirks: { deleteObjects } } });
  sandbox.put("in", "a", "x");
  expect(await s3.deleteMany({ bucket: "in", items: [{ key: "a" }] }, call)).toEqual([{ key: "a" }]);
  expect(s3.lessons()[0]).toBe("bulk-delete-md5");
  expect(sandbox.keys("in")).toEqual([]);
});

test("tells that answers without an ETag are not believed", async () => {
  const told: Lesson[] = [];
  const s3 = await openOddStore(
    (_, response) => void response.writeHead(200, { "content-length": "0" }).end(),
    {},
    {
      onLesson: (_, lesson) => told.push(lesson),
    },
  );
  for (const key of ["a", "b"])
    expect(await errorOf(s3.head({ bucket: "in", key }, call))).toMatchObject({ code: "UnprovenResponse" });
  expect(told).toEqual(["etags-missing"]);
});

test("tells that another version than the one asked for is not believed", async () => {
  const { sandbox, s3 } = await openS3({ sandbox: { quirks: { ignoredVersionIds: true } } });
  sandbox.put("in", "a", "x");
  const head = s3.head({ bucket: "in", key: "a", versionId: "v1" }, call);
  expect(await errorOf(head)).toMatchObject({ code: "VersionIgnored" });
  expect(s3.lessons()).toEqual(["versions-ignored"]);
});

test("uploads to a store that takes nothing without Content-MD5, once it learned that", async () => {
  const { sandbox, s3 } = await openS3({ sandbox: { quirks: { contentMd5Required: true } } });
  const put = (key: string, size: number) =>
    s3.put({ bucket: "in", key, body: content(size).stream(), size, attributes: { cacheControl: "no-store" } }, call);
  for (const lesson of ["digests-wanted", "md5-wanted"] as const) {
    expect(await errorOf(put("a", 8))).toMatchObject({ code: "MissingContentMD5", retryable: true });
    expect(s3.lessons().at(-1)).toBe(lesson);
  }
  for (const [key, size] of [
    ["a", 8],
    ["empty", 0],
  ] as const) {
    expect(await put(key, size)).toMatchObject({ size, cacheControl: "no-store" });
    expect(sandbox.bytes("in", key)?.equals(content(size).bytes)).toBe(true);
  }
});
