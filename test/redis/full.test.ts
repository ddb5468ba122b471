import { Redis } from "ioredis";
import { expect, onTestFinished, test, vi } from "vitest";
import { startRedis } from "../../sandbox/index.ts";
import { all } from "../batch-harness.ts";
import { startDashboardHarness } from "../dashboard-harness.ts";
import { startHarness } from "../harness.ts";

/** Every page and route that only reads, with what is there to be read. */
async function readingPaths(
  send: (path: string) => Promise<{ json: () => unknown }>,
  params: Readonly<Record<string, string>>,
) {
  const { paths } = (await send("/api/openapi.json")).json() as {
    paths: Record<string, Record<string, { responses: Record<string, { content?: object }> }>>;
  };
  const gets = Object.entries(paths).filter(([, methods]) => methods["get"] !== undefined);
  const streams = gets.filter(([, { get }]) =>
    Object.keys(get?.responses["200"]?.content ?? {}).includes("text/event-stream"),
  );
  const asked = gets.filter((one) => !streams.includes(one)).map(([path]) => path);
  return asked.map((path) => path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => params[name] ?? name));
}

test("pages and calls that only read go on while Redis is full", async () => {
  const redis = await startRedis();
  const admin = new Redis(redis.url);
  onTestFinished(async () => {
    admin.disconnect();
    await redis.stop();
  });
  const harness = await startHarness({ redis: redis.url });
  const { producer, sandbox, prefix } = harness;
  onTestFinished(() => harness.close());
  const dashboard = await startDashboardHarness({
    redis: redis.url,
    prefix,
    documentsUrl: harness.config.documentsUrl,
  });
  onTestFinished(() => dashboard.close());
  for (const bucket of ["in", "out"]) sandbox.createBucket(bucket);
  for (const key of ["a", "b", "c"]) sandbox.put("in", key, key);
  const job = await producer.enqueue("list-objects", { bucket: "in" });
  await job.result({ timeout: 20_000 });
  const batch = await producer.batches.start({
    operation: "copy",
    source: { bucket: "in" },
    destination: { bucket: "out" },
  });
  await batch.done();
  await producer.schedule("nightly", { every: "1h" }, "head-bucket", { bucket: "in" });
  const paths = await readingPaths((path) => dashboard.send(path), { activity: "list-objects", id: job.id });
  const ofBatch = paths.filter((path) => path.includes("/batches/")).map((path) => path.replace(job.id, batch.id));
  const asked = [
    ...paths.filter((path) => !path.includes("/batches/")),
    ...ofBatch,
    "/metrics",
    "/queues/api/queues",
    "/",
  ];
  const statuses = async () => {
    const found: [string, number, string][] = [];
    for (const path of asked) {
      const { status, text } = await dashboard.send(path);
      found.push([path, status, status >= 400 ? text.slice(0, 300) : ""]);
    }
    return found;
  };
  const before = await statuses();
  expect(before.length).toBeGreaterThan(25);
  expect(before.filter(([, status]) => status >= 500)).toEqual([]);
  await admin.config("SET", "maxmemory", "1");
  await vi.waitFor(async () => await expect(admin.set("x", "1")).rejects.toThrow(/OOM/), 5000);
  await admin.script("FLUSH");
  expect(await statuses()).toEqual(before);
  expect(await job.state()).toBe("completed");
  expect(await producer.job("list-objects", job.id).result({ timeout: 5000 })).toMatchObject({ count: 3 });
  expect(await batch.status()).toMatchObject({ state: "completed", succeeded: 3 });
  expect(await all(batch.report())).toHaveLength(3);
  expect(await producer.schedules.list()).toHaveLength(1);
}, 90_000);
