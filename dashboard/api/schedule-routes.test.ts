import { afterAll, beforeAll, expect, test } from "vitest";
import { type DashboardHarness, startDashboardHarness } from "../../test/dashboard-harness.ts";
import { type Harness, startHarness } from "../../test/harness.ts";
import type { Problem } from "../problems/interface.ts";
import type { ScheduleView } from "../schedules/schedule.ts";

let harness: Harness;
let dashboard: DashboardHarness;
beforeAll(async () => {
  harness = await startHarness();
  dashboard = await startDashboardHarness({ prefix: harness.prefix, documentsUrl: harness.config.documentsUrl });
  harness.sandbox.createBucket("in");
});
afterAll(async () => {
  await dashboard.close();
  await harness.close();
});

const SLOW = { timeout: 60_000, interval: 200 };
const all = async () => (await dashboard.send("/api/schedules")).json()["schedules"] as unknown as ScheduleView[];
const one = async (wanted: string) => (await all()).find(({ id }) => id === wanted);
const steer = (path: string, body: object = {}) => dashboard.send(`/api/schedules/${path}`, { method: "POST", body });

test("a schedule of jobs tells its next and last run, and since when it fails", async () => {
  const every = { every: "1h" };
  await harness.producer.schedule("good", every, "head-bucket", { bucket: "in" });
  await harness.producer.schedule("broken", every, "head-bucket", { bucket: "that-is-not-there" });
  await expect
    .poll(() => one("good"), SLOW)
    .toMatchObject({ every: 3_600_000, next: expect.any(String), last: { state: "completed" }, failures: 0 });
  await expect.poll(() => one("broken"), SLOW).toMatchObject({ failures: 1, last: { state: "failed" } });
  const broken = await one("broken");
  const job = (await dashboard.send(`/api${broken?.last?.path ?? ""}`)).json();
  expect(job).toMatchObject({ schedule: "broken", state: "failed" });
  const problems = async () => (await dashboard.send("/api/problems")).json()["problems"] as unknown as Problem[];
  await expect
    .poll(async () => (await problems()).find(({ kind }) => kind === "schedule"), SLOW)
    .toMatchObject({ title: "The schedule broken keeps failing", code: broken?.last?.code });
});

test("a schedule rests while it is paused, with all that it takes to go on, and runs once when asked", async () => {
  await harness.producer.schedule("resting", { cron: "0 3 * * *", timezone: "Europe/Berlin" }, "head-bucket", {
    bucket: "in",
  });
  expect((await steer("head-bucket/resting/pause")).status).toBe(200);
  await expect
    .poll(() => one("resting"), SLOW)
    .toMatchObject({ paused: { by: expect.any(String) }, cron: "0 3 * * *" });
  expect((await harness.producer.schedules.list()).map(({ id }) => id)).not.toContain("resting");
  const run = await steer("head-bucket/resting/run");
  expect(run.status).toBe(201);
  const state = async () => (await dashboard.send(`/api${String(run.json()["path"])}`)).json()["state"];
  await expect.poll(state, SLOW).toBe("completed");
  expect((await steer("head-bucket/resting/rule", { every: "2h" })).status).toBe(200);
  await expect.poll(() => one("resting"), SLOW).toMatchObject({ every: 7_200_000, paused: {} });
  expect((await steer("head-bucket/resting/resume")).status).toBe(200);
  await expect.poll(async () => (await one("resting"))?.paused, SLOW).toBeUndefined();
  const stored = (await harness.producer.schedules.list()).find(({ id }) => id === "resting");
  expect(stored).toMatchObject({ every: 7_200_000, input: { bucket: "in" } });
  expect((await dashboard.send("/api/schedules/head-bucket/resting", { method: "DELETE" })).status).toBe(204);
  await expect.poll(() => one("resting"), SLOW).toBeUndefined();
});

test("a bad rule names its field and changes nothing; a schedule that is gone is not there", async () => {
  await harness.producer.schedule("kept", { every: "1h" }, "head-bucket", { bucket: "in" });
  const answer = await steer("head-bucket/kept/rule", { cron: "every day" });
  expect([answer.status, answer.json()["field"]]).toEqual([422, "cron"]);
  await expect.poll(() => one("kept"), SLOW).toMatchObject({ every: 3_600_000 });
  expect((await steer("head-bucket/gone/pause")).status).toBe(404);
});

test.each([
  ["an interval that is no number", "head-bucket", { every: "null" }],
  ["no rule", "head-bucket", { every: "" }],
  ["a rule that is no cron expression", "head-bucket", { every: "", pattern: "{" }],
])("a schedule to which another program gave %s is refused in words", async (_, queue, planted) => {
  await harness.producer.schedule("planted", { every: "1h" }, "head-bucket", { bucket: "in" });
  await dashboard.redis.hset(`${harness.prefix}:${queue}:repeat:planted`, planted);
  for (const verb of ["pause", "resume", "pause"]) {
    const answer = await steer(`${queue}/planted/${verb}`);
    expect([verb, answer.status]).toEqual([verb, verb === "pause" ? 409 : 200]);
  }
  expect((await dashboard.send(`/api/schedules/${queue}/planted`, { method: "DELETE" })).status).toBe(204);
});

test("a schedule of batches without a spec is not run", async () => {
  const items = [{ bucket: "in", key: "none" }];
  await harness.producer.batches.schedule("empty", { every: "1h" }, { operation: "delete", source: { items } });
  await dashboard.redis.hset(`${harness.prefix}:batch-chunk:repeat:empty`, { data: "null" });
  const answer = await steer("batch-chunk/empty/run");
  expect([answer.status, answer.json()["detail"]]).toEqual([409, expect.stringContaining("another program")]);
});

test("a run that nobody began is told as missed", async () => {
  await harness.producer.schedule("late", { every: "1h" }, "list-buckets", {});
  const key = `${harness.prefix}:list-buckets:repeat`;
  await dashboard.redis.zadd(key, Date.now() - 600_000, "late");
  await expect.poll(async () => (await one("late"))?.missedSince, SLOW).toBeDefined();
});

test("a schedule of batches tells the batch that it started last", async () => {
  harness.sandbox.createBucket("out");
  harness.sandbox.put("in", "nightly/a", "a");
  await harness.producer.batches.schedule(
    "nightly",
    { every: "1h" },
    {
      operation: "copy",
      source: { bucket: "in", prefix: "nightly/" },
      destination: { bucket: "out" },
    },
  );
  await expect
    .poll(() => one("nightly"), SLOW)
    .toMatchObject({ kind: "batches", last: { state: "completed", path: expect.stringMatching(/^\/batches\//) } });
  expect((await steer("batch-chunk/nightly/pause")).status).toBe(200);
  expect((await steer("batch-chunk/nightly/resume")).status).toBe(200);
  const [kept] = await harness.producer.batches.schedules.list();
  expect(kept).toMatchObject({ id: "nightly", spec: { operation: "copy" }, overlap: "skip" });
});

test("an address that is nearly one of ours is told which", async () => {
  const post = { method: "POST", body: {} };
  const { status, detail } = (await dashboard.send("/api/activities/list-bucket/jobs", post)).json();
  expect([status, detail]).toEqual([
    404,
    "there is no POST /api/activities/list-bucket/jobs; did you mean /api/activities/list-buckets/jobs?",
  ]);
  expect((await dashboard.send("/api/schedule")).json()).toMatchObject({
    status: 404,
    detail: expect.stringContaining("did you mean /api/schedules?"),
  });
  expect((await dashboard.send("/api/nothing-like-it")).json()["detail"]).toBe("there is no GET /api/nothing-like-it");
});
