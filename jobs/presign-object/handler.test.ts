import { expect } from "vitest";
import { test } from "../../test/harness.ts";

test("makes URLs with which anybody reads, writes and deletes one object for a while", async ({ sandbox, run }) => {
  sandbox.createBucket("signed");
  const object = { bucket: "signed", key: "ä b/+?.txt" };
  const put = await run("presign-object", { object, method: "put", expiresIn: 60 });
  expect((await fetch(put.url, { method: "PUT", body: "hello" })).status).toBe(200);
  const get = await run("presign-object", { object });
  expect(await (await fetch(get.url)).text()).toBe("hello");
  expect(Date.parse(get.expiresAt) - Date.now()).toBeGreaterThan(800_000);
  const remove = await run("presign-object", { object, method: "delete" });
  expect((await fetch(remove.url, { method: "DELETE" })).status).toBe(204);
  expect(sandbox.keys("signed")).toEqual([]);
});

test("refuses a lifetime beyond seven days", async ({ run }) => {
  const object = { bucket: "signed", key: "a" };
  await expect(run("presign-object", { object, expiresIn: 604_801 })).rejects.toMatchObject({
    code: "InvalidInput",
    field: "expiresIn",
  });
});
