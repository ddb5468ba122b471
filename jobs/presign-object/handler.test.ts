import { Redis } from "ioredis";
import { expect, onTestFinished } from "vitest";
import { startHarness, test } from "../../test/harness.ts";

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

test("gives no URL for what the policy does not allow without one", async () => {
  const allow = [{ activities: ["presign-object", "get-object"], buckets: ["in"] }];
  const { sandbox, run, close } = await startHarness({ profile: { allow } });
  onTestFinished(close);
  sandbox.createBucket("in");
  sandbox.put("in", "a", "content");
  const object = { bucket: "in", key: "a" };
  const { url } = await run("presign-object", { object });
  expect(await (await fetch(url)).text()).toBe("content");
  for (const method of ["put", "delete"] as const)
    await expect(run("presign-object", { object, method })).rejects.toMatchObject({
      code: "PolicyDenied",
      message: `PolicyDenied: the policy of profile default does not allow ${method}-object s3://in/a`,
    });
});

test("leaves no URL in Redis, neither on the job nor in its queue's events", async ({ sandbox, harness, run }) => {
  sandbox.createBucket("secret-url");
  sandbox.put("secret-url", "k", "content");
  const object = { bucket: "secret-url", key: "k" };
  const { url } = await run("presign-object", { object, method: "delete", expiresIn: 604_800 });
  const signature = new URL(url).searchParams.get("X-Amz-Signature") ?? "";
  expect(signature).toMatch(/^[0-9a-f]{64}$/);
  const redis = new Redis(harness.config.redis);
  onTestFinished(() => redis.disconnect());
  const found: string[] = [];
  for (const key of await redis.keys(`${harness.prefix}:*`)) {
    const type = await redis.type(key);
    const read = {
      hash: () => redis.hgetall(key),
      stream: () => redis.xrange(key, "-", "+"),
      string: () => redis.get(key),
    };
    // Lists and sets hold ids.
    const content = await read[type as keyof typeof read]?.();
    if (JSON.stringify(content ?? "").includes(signature)) found.push(key);
  }
  expect(found).toEqual([]);
});
