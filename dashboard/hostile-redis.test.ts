import { afterAll, beforeAll, expect, test } from "vitest";
import { type DashboardHarness, startDashboardHarness } from "../test/dashboard-harness.ts";

/** Whoever writes to Redis may lose what is theirs to lose, and stops the dashboard for nobody. */
let dashboard: DashboardHarness;

const BATCHES = ["b11111111", "b22222222", "b33333333", "b44444444"] as const;
const PATHS = [
  "/api/overview",
  "/api/problems",
  "/api/schedules",
  "/api/batches",
  "/api/quarantine",
  "/api/profiles",
  "/api/audit",
  "/api/search?text=k",
  "/api/jobs/head-object?state=waiting",
  "/api/jobs/head-object?state=failed",
  "/api/jobs/head-object/long",
  "/metrics",
  `/api/batches/${BATCHES[3]}/throughput`,
  `/api/batches/${BATCHES[3]}/failures`,
  ...BATCHES.map((id) => `/api/batches/${id}`),
];
const LONG = 300 * 1024;

beforeAll(async () => {
  dashboard = await startDashboardHarness();
  const { redis, prefix } = dashboard;
  const key = (name: string) => `${prefix}:${name}`;
  const now = String(Date.now());
  const spec = JSON.stringify({ operation: "delete", source: { bucket: "in", prefix: "" }, retention: 60 });
  const records = [
    { spec: "null", state: "running", createdAt: now },
    { spec: "{", state: "failed", createdAt: now },
    { spec, state: "failed", createdAt: "x", error: "null" },
    { spec, state: "failed", createdAt: now, failed: "1e999" },
  ];
  for (const [index, record] of records.entries()) {
    const id = BATCHES[index] ?? "";
    await redis.hset(key(`~batch:${id}`), { id, ...record });
    for (const set of ["index", "active"]) await redis.zadd(key(`~batch:${set}`), now, id);
  }
  await redis.hset(key(`~batch:${BATCHES[3]}:rate`), "0", "1e999:x:-1");
  await redis.lpush(key(`~batch:${BATCHES[3]}:recent`), "x", "null");
  await redis.hset(key("~batch:ended"), "completed", "1e999");
  await redis.zadd(key("~failures"), now, "g", now, "h");
  await redis.hset(key("~failure:g"), { code: "NoSuchKey", activity: "a".repeat(LONG), first: "x", last: "1e999" });
  await redis.zadd(key("~failure:g:jobs"), now, "j");
  await redis.set(key("~failure:h"), "of another type");
  await redis.hset(key("~problem-notes"), { a: "null", b: '{"verb":"mute","at":5}', c: "x" });
  await redis.set(key("~workers-lost"), "of another type");
  await redis.set(key("~workers"), "of another type");
  await redis.hset(key("~schedules-paused"), { "head-object/a": "null", "head-object/b": '{"stored":null}', c: "x" });
  await redis.zadd(key("head-object:repeat"), now, "bad");
  await redis.hset(key("head-object:repeat:bad"), { data: "x", opts: "null", name: "bad", every: "1000" });
  const job = { name: "head-object", opts: "{}", timestamp: now, delay: "0", priority: "0" };
  await redis.hset(key("head-object:long"), { ...job, data: JSON.stringify({ bucket: "k".repeat(LONG) }) });
  await redis.lpush(key("head-object:wait"), "long");
  const error = JSON.stringify({ code: "C".repeat(LONG), message: "m", requestId: "r".repeat(LONG) });
  await redis.hset(key("head-object:odd"), { ...job, data: "{}", finishedOn: now, failedReason: "m", error });
  await redis.zadd(key("head-object:failed"), now, "odd");
});
afterAll(() => dashboard.close());

test.each(PATHS)("answers %s, whatever others wrote there, and briefly", async (path) => {
  const { status, text } = await dashboard.send(path);
  expect([status < 500, status]).toEqual([true, status]);
  expect(text.length).toBeLessThan(LONG);
});

test("shows what is whole beside it", async () => {
  const problems = (await dashboard.send("/api/problems")).json()["problems"] as unknown as { readonly id: string }[];
  expect(problems.map(({ id }) => id)).toContain("jobs-g");
  const { batches } = (await dashboard.send("/api/batches")).json() as unknown as { batches: { id: string }[] };
  expect(batches.map(({ id }) => id)).toEqual([BATCHES[3]]);
  const { jobs } = (await dashboard.send("/api/jobs/head-object?state=waiting")).json() as unknown as {
    jobs: object[];
  };
  expect(jobs).toMatchObject([{ id: "long", malformed: true }]);
});
