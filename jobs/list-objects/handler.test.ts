import { expect } from "vitest";
import { test } from "../../test/harness.ts";

test("lists objects whole, page after page, as entities that other activities accept", async ({ sandbox, run }) => {
  sandbox.createBucket("pages");
  for (let i = 0; i < 1203; i++) sandbox.put("pages", `k/${String(i).padStart(4, "0")}`, "x");
  const { objects, count } = await run("list-objects", { bucket: "pages", prefix: "k/" });
  expect(count).toBe(1203);
  expect(objects.map(({ key }) => key)).toEqual(
    Array.from({ length: 1203 }, (_, i) => `k/${String(i).padStart(4, "0")}`),
  );
  const first = objects[0];
  if (first === undefined) throw new Error("expected a first object");
  expect(first).toMatchObject({ bucket: "pages", size: 1, etag: "9dd4e461268c8034f5c8564e155c67a6" });
  expect((await run("head-object", { object: first })).object.etag).toBe(first.etag);
});

test("stops at the limit and starts after a key", async ({ sandbox, run }) => {
  sandbox.createBucket("limits");
  for (const key of ["a", "b", "c", "d"]) sandbox.put("limits", key, "x");
  const { objects } = await run("list-objects", { bucket: "limits", startAfter: "a", limit: 2 });
  expect(objects.map(({ key }) => key)).toEqual(["b", "c"]);
});

test("keeps a short list on the job and a long one in a document", async ({ sandbox, harness }) => {
  sandbox.createBucket("long");
  for (let i = 0; i < 500; i++) sandbox.put("long", `some/longer/key/${i}`, "x");
  const job = await harness.producer.enqueue("list-objects", { bucket: "long" });
  const { objects, count } = await job.result({ timeout: 10_000 });
  expect([objects.length, count]).toEqual([500, 500]);
  const keys = [];
  for await (const object of job.entities()) keys.push(object.key);
  expect(keys).toEqual(objects.map(({ key }) => key));
});

test("fails with NoSuchBucket that names the bucket", async ({ run }) => {
  await expect(run("list-objects", { bucket: "nowhere" })).rejects.toMatchObject({
    code: "NoSuchBucket",
    message: expect.stringContaining("nowhere"),
  });
});

test("does not take a page that is no listing for an empty bucket", async ({ sandbox, run }) => {
  sandbox.createBucket("lying");
  sandbox.put("lying", "a", "x");
  const fault = sandbox.fault({ operation: "ListObjectsV2", bucket: "lying", kind: "empty-200", times: 1 });
  expect((await run("list-objects", { bucket: "lying" })).count).toBe(1);
  expect(fault.hits).toBe(1);
});
