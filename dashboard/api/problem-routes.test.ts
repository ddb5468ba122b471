import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { redisKeys } from "../../redis/keys.ts";
import { type DashboardHarness, startDashboardHarness } from "../../test/dashboard-harness.ts";
import { type Harness, startHarness } from "../../test/harness.ts";
import type { Problem } from "../problems/interface.ts";

let harness: Harness;
let dashboard: DashboardHarness;
beforeAll(async () => {
  harness = await startHarness();
  dashboard = await startDashboardHarness({ prefix: harness.prefix, documentsUrl: harness.config.documentsUrl });
  harness.sandbox.createBucket("in");
  harness.sandbox.createBucket("out");
});
afterAll(async () => {
  await dashboard.close();
  await harness.close();
});

const SLOW = { timeout: 60_000, interval: 200 };

async function problems(): Promise<readonly Problem[]> {
  return (await dashboard.send("/api/problems")).json()["problems"] as unknown as Problem[];
}
const find = async (wanted: Partial<Problem>) =>
  (await problems()).find((problem) =>
    Object.entries(wanted).every(([name, value]) => problem[name as keyof Problem] === value),
  );
async function bulk(body: object) {
  return await dashboard.send("/api/bulk", { method: "POST", body });
}
async function failing(keys: readonly string[]) {
  const jobs = await harness.producer.enqueueMany(
    "head-object",
    keys.map((key) => ({ object: { bucket: "in", key } })),
  );
  for (const job of jobs) await job.succeeded({ timeout: 60_000 });
  return jobs;
}

test("what many things are asked of is either a problem or a filter", async () => {
  const told = async (more: object) => (await bulk({ action: "retry", preview: true, ...more })).json();
  const either = { status: 422, detail: "body: expected either problem or filter" };
  expect(await told({})).toMatchObject(either);
  expect(await told({ problem: "p", filter: {} })).toMatchObject(either);
  const slip = { field: "fitler", message: "unknown field; did you mean filter?" };
  expect(await told({ fitler: {} })).toMatchObject({ status: 422, errors: expect.arrayContaining([slip]) });
});

test("what fails alike is one problem: since when, how often, an example, what it means, and a button for all of it", async () => {
  await failing(["gone/1", "gone/2", "gone/3"]);
  const wanted = { kind: "jobs", code: "NoSuchKey", activity: "head-object", bucket: "in" } as const;
  await expect.poll(async () => (await find(wanted))?.open, SLOW).toBe(3);
  const problem = await find(wanted);
  expect(problem).toMatchObject({ profile: "default", count: 3, actions: ["retry", "forget"] });
  expect(problem?.meaning).toMatch(/\w/);
  expect(problem?.remedy).toMatch(/\w/);
  expect(problem?.trend?.reduce((sum, hour) => sum + hour, 0)).toBe(3);
  expect(problem?.example?.path).toMatch(/^\/jobs\/head-object\//);
  const id = problem?.id ?? "";
  expect((await bulk({ action: "retry", problem: id, preview: true })).json()).toMatchObject({ total: 3 });
  for (const key of ["gone/1", "gone/2"]) harness.sandbox.put("in", key, "x");
  const started = await bulk({ action: "retry", problem: id, expected: 3 });
  expect(started.status).toBe(202);
  const look = async () => (await dashboard.send(`/api/bulk/${String(started.json()["id"])}`)).json();
  await expect.poll(look, SLOW).toMatchObject({ state: "done", done: 3, refused: 0, total: 3 });
  // Two of them are well; the third one failed again.
  await expect.poll(async () => (await find(wanted))?.open, SLOW).toBe(1);
  await expect.poll(async () => (await find(wanted))?.count, SLOW).toBe(4);
  await bulk({ action: "forget", problem: id });
  await expect.poll(async () => await find(wanted), SLOW).toBeUndefined();
});

test("who looks after a problem is said until it happens again; a muted one stays muted", async () => {
  await failing(["noted"]);
  const wanted = { kind: "jobs", code: "NoSuchKey" } as const;
  await expect.poll(async () => await find(wanted), SLOW).toBeDefined();
  const { id = "" } = (await find(wanted)) ?? {};
  const say = (verb: string, body: object = {}) =>
    dashboard.send(`/api/problems/${id}/${verb}`, { method: "POST", body });
  expect((await say("acknowledge", { reason: "Ada looks" })).json()).toMatchObject({
    acknowledged: { reason: "Ada looks" },
  });
  await failing(["noted"]);
  await expect.poll(async () => (await find({ id }))?.acknowledged, SLOW).toBeUndefined();
  expect((await say("mute", { minutes: 5 })).json()).toMatchObject({ muted: { until: expect.any(String) } });
  await failing(["noted"]);
  await expect.poll(async () => (await find({ id }))?.count, SLOW).toBe(3);
  expect((await find({ id }))?.muted).toBeDefined();
  expect((await say("reopen")).json()["muted"]).toBeUndefined();
});

test("batches that failed and objects that failed in batches are told with their batches, and tried again together", async () => {
  const nowhere = await harness.producer.batches.start({
    operation: "delete",
    source: { bucket: "misspelt", prefix: "a/" },
    label: "Nowhere",
  });
  await nowhere.done().catch(() => undefined); // it fails: that is what is looked at
  await expect
    .poll(async () => await find({ kind: "batches", bucket: "misspelt" }), SLOW)
    .toMatchObject({ code: "NoSuchBucket", related: [{ path: `/batches/${nowhere.id}`, text: "Nowhere" }] });
  for (let i = 0; i < 5; i++) harness.sandbox.put("in", `denied/${i}`, "x");
  harness.sandbox.fault({ kind: "status", operation: "CopyObject", key: /denied/, status: 403, code: "AccessDenied" });
  const denied = await harness.producer.batches.start({
    operation: "copy",
    source: { bucket: "in", prefix: "denied/" },
    destination: { bucket: "out" },
  });
  await denied.done();
  const wanted = { kind: "batch-objects", code: "AccessDenied" } as const;
  await expect.poll(async () => (await find(wanted))?.count, SLOW).toBe(5);
  harness.sandbox.clearFaults();
  const { id = "" } = (await find(wanted)) ?? {};
  expect((await bulk({ action: "retry", problem: id })).status).toBe(202);
  await expect.poll(() => harness.sandbox.keys("out").filter((key) => key.startsWith("denied/")).length, SLOW).toBe(5);
  // Somebody does something about it: it is no problem any more.
  await expect.poll(async () => await find(wanted), SLOW).toBeUndefined();
});

test("a worker that died is told with what it held, a paused queue and quarantine with what to do", async () => {
  const keys = redisKeys(harness.prefix);
  const seenAt = new Date(Date.now() - 120_000).toISOString();
  const record = { id: "w1", host: "box", pid: 7, running: 2, jobs: ["head-object/1", "head-object/2"], seenAt };
  await dashboard.redis.set(keys.worker("w1"), JSON.stringify(record));
  await dashboard.redis.zadd(keys.workers(), Date.parse(seenAt), "w1");
  await dashboard.redis.hset(keys.quarantine(), "head-object/torn", "{}");
  await dashboard.redis.hset(`${harness.prefix}:list-buckets:meta`, "paused", "1");
  onTestFinished(async () => {
    await dashboard.redis.hdel(`${harness.prefix}:list-buckets:meta`, "paused");
  });
  await expect
    .poll(async () => await find({ id: "worker-w1" }), SLOW)
    .toMatchObject({
      title: "The worker box · 7 fell silent",
      lastSeen: seenAt,
      related: [{ path: "/jobs/head-object/1" }, { path: "/jobs/head-object/2" }],
    });
  expect(await find({ id: "quarantine" })).toMatchObject({ count: 1 });
  expect(await find({ id: "paused-list-buckets" })).toBeDefined();
  expect((await bulk({ action: "forget", problem: "worker-w1" })).status).toBe(202);
  await expect.poll(async () => await find({ id: "worker-w1" }), SLOW).toBeUndefined();
});

test("a search finds jobs and batches by key, label, code, bucket and time, and acts on all that it found", async () => {
  /** Goes on until all was looked through, as a page does. */
  const search = async (query: string) => {
    const first = (await dashboard.send(`/api/search?${query}`)).json();
    const jobs = [...(first["jobs"] as unknown as { id: string }[])];
    for (let next = first["next"] as unknown; typeof next === "string";) {
      const more = (await dashboard.send(`/api/search?${query}&cursor=${next}`)).json();
      jobs.push(...(more["jobs"] as unknown as { id: string }[]));
      next = more["next"];
    }
    return { jobs, batches: first["batches"] as unknown as { spec: { label: string } }[] };
  };
  const ids = ({ jobs }: { readonly jobs: readonly { readonly id: string }[] }) => jobs.map(({ id }) => id);
  const [job] = await failing(['needle/ü "quoted".txt']);
  const found = await search(`text=${encodeURIComponent('needle/ü "quoted"')}`);
  expect(ids(found)).toEqual([job?.id]);
  expect(found.jobs).toMatchObject([{ activity: "head-object", state: "failed", error: { code: "NoSuchKey" } }]);
  expect(ids(await search(`text=${job?.id.slice(0, 12)}`))).toEqual([job?.id]);
  expect(ids(await search("text=needle&code=NoSuchKey&bucket=in&profile=default"))).toEqual([job?.id]);
  for (const other of ["code=AccessDenied", "bucket=out", "profile=other", "state=completed", "activity=copy-object"])
    expect([other, ids(await search(`text=needle&${other}`))]).toEqual([other, []]);
  expect(ids(await search("text=needle&since=2020-01-01T00:00:00.000Z"))).toEqual([job?.id]);
  expect(ids(await search("text=needle&until=2020-01-01T00:00:00.000Z"))).toEqual([]);
  const { batches } = await search("text=Nowhere");
  expect(batches.map(({ spec }) => spec.label)).toEqual(["Nowhere"]);
  const filter = { text: "needle" };
  expect((await bulk({ action: "retry", filter, preview: true })).json()).toMatchObject({ total: 1 });
  harness.sandbox.put("in", 'needle/ü "quoted".txt', "found");
  expect((await bulk({ action: "retry", filter })).status).toBe(202);
  await expect.poll(async () => ids(await search("text=needle&state=completed")), SLOW).toEqual([job?.id]);
});

test("of many things nothing is done where they became more since they were counted, or where nobody said which", async () => {
  await failing(["more/1", "more/2", "more/3", "more/4"]);
  expect((await bulk({ action: "retry", filter: { text: "more/" }, expected: 1 })).status).toBe(409);
  expect((await bulk({ action: "retry" })).status).toBe(422);
  expect((await bulk({ action: "retry", problem: "jobs-0000000000000000" })).status).toBe(404);
});
