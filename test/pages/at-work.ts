import { vi } from "vitest";
import { redisKeys } from "../../redis/keys.ts";
import type { DashboardHarness } from "../dashboard-harness.ts";
import type { Harness } from "../harness.ts";

const ACTIONS_WITHIN = { timeout: 20_000 };

/** A system at work, as one who looks at it sees it: jobs of the last minutes, a batch that runs, others that ended, and what went wrong. */
export type AtWork = { readonly harness: Harness; readonly dashboard: DashboardHarness };

/** Makes it so, and returns the pages that can be opened only now, by title. */
export async function putToWork(at: AtWork): Promise<Record<string, string>> {
  const { producer } = at.harness;
  store(at);
  const copies = await runJobs(at);
  await writePast(at);
  const batches = await runBatches(at);
  await schedule(at);
  await goWrong(at);
  const key = `${"deep/".repeat(180)}\u202egnp.exe`;
  const longKey = await producer.enqueue("head-object", { object: { bucket: "photos", key } });
  await longKey.succeeded(ACTIONS_WITHIN);
  const failed = `copy-object/${copies[19]?.id ?? ""}`;
  const bulk = await at.dashboard.send("/api/bulk", {
    method: "POST",
    body: { action: "forget", filter: { text: longKey.id } },
  });
  return {
    ...batches,
    job: `/jobs/${failed}`,
    problem: `/problems/${await problemOf(at, failed)}`,
    bulk: `/bulk/${String(bulk.json()["id"])}`,
    "long-key": `/jobs/head-object/${longKey.id}`,
  };
}

function store({ harness: { sandbox } }: AtWork): void {
  const padded = (i: number) => String(i).padStart(4, "0");
  for (const bucket of ["photos", "archive", "logs"]) sandbox.createBucket(bucket);
  for (let i = 0; i < 60; i++) sandbox.put("photos", `2026/11/img-${padded(i)}.jpg`, "x".repeat(2000));
  // Enough to be at work for as long as anybody looks.
  for (let i = 0; i < 9600; i++) {
    const month = String((i % 12) + 1).padStart(2, "0");
    sandbox.put("logs", `2025/${month}/app-${padded(i)}.log`, "line\n".repeat(400));
  }
  sandbox.fault({ kind: "status", operation: "CopyObject", key: /app-\d\d13/, status: 403, code: "AccessDenied" });
}

/** Jobs of which every twentieth finds no object. */
async function runJobs({ harness: { producer } }: AtWork) {
  const inputs = Array.from({ length: 60 }, (_, i) => ({
    object: { bucket: "photos", key: `2026/11/img-${String(i % 20 === 19 ? 9999 : i).padStart(4, "0")}.jpg` },
    destination: { bucket: "archive" },
  }));
  const jobs = await producer.enqueueMany("copy-object", inputs);
  await producer.enqueueMany(
    "head-object",
    inputs.map(({ object }) => ({ object })),
  );
  await producer.enqueue("list-objects", { bucket: "photos" }, { delay: 3_600_000 });
  for (const job of jobs) await job.succeeded(ACTIONS_WITHIN);
  return jobs;
}

/** Jobs of the last quarter of an hour, so that the charts have something to show. */
async function writePast({ harness: { prefix }, dashboard }: AtWork): Promise<void> {
  const now = Date.now();
  const pipeline = dashboard.redis.pipeline();
  for (let i = 0; i < 9000; i++) {
    const at = now - 20_000 - Math.floor(880_000 * ((i + 300 * Math.sin(i / 500)) / 9300));
    const id = `past-${i}`;
    const run = 8 + 6 * Math.sin(at / 60_000) + (i % 29 === 0 ? 30 : 0);
    pipeline.zadd(`${prefix}:head-object:${i % 150 === 0 ? "failed" : "completed"}`, at, id);
    pipeline.hset(`${prefix}:head-object:${id}`, {
      name: "head-object",
      data: "{}",
      opts: "{}",
      timestamp: at - run - 3,
      delay: 0,
      processedOn: at - run,
      finishedOn: at,
    });
  }
  await pipeline.exec();
}

/** A batch that is done, a plan, one that runs, and one that stopped. */
async function runBatches({ dashboard }: AtWork): Promise<Record<string, string>> {
  const start = async (body: object) =>
    String((await dashboard.send("/api/batches", { method: "POST", body })).json()["id"]);
  const look = async (id: string) => (await dashboard.send(`/api/batches/${id}`)).json();
  const until = (id: string, state: string) =>
    vi.waitUntil(async () => (await look(id))["state"] === state, ACTIONS_WITHIN);
  const done = await start({
    operation: "copy",
    source: { bucket: "photos" },
    destination: { bucket: "archive", prefix: "backup/" },
    label: "Back up the photos",
  });
  const plan = await start({
    operation: "move",
    source: { bucket: "photos", prefix: "2026/" },
    destination: { bucket: "archive", prefix: "photos/2026/" },
    dryRun: true,
  });
  await until(done, "completed");
  await until(plan, "planned");
  const running = await start({
    operation: "copy",
    source: { bucket: "logs", prefix: "2025/" },
    destination: { bucket: "archive" },
    label: "Archive the logs of 2025",
    maxObjectsPerSecond: 25,
  });
  const stopped = await start({ operation: "delete", source: { bucket: "misspelt", prefix: "old/" } });
  await until(stopped, "failed");
  await vi.waitUntil(async () => Number((await look(running))["succeeded"]) > 60, { timeout: 30_000, interval: 200 });
  const pathOf = (id: string) => `/batches/${id}`;
  return { batch: pathOf(running), done: pathOf(done), plan: pathOf(plan), stopped: pathOf(stopped) };
}

async function schedule({ harness: { producer } }: AtWork): Promise<void> {
  await producer.schedule("inventory-hourly", { every: "1h" }, "list-objects", { bucket: "photos" });
  const nightly = { cron: "0 3 * * *", timezone: "Europe/Berlin" } as const;
  await producer.schedule("nightly-check", nightly, "head-bucket", { bucket: "logs" });
  await producer.schedule("broken-hourly", { every: "1h" }, "head-bucket", { bucket: "misspelt" });
}

/** A worker that fell silent, and a job that cannot be read. */
async function goWrong({ harness: { prefix }, dashboard: { redis } }: AtWork): Promise<void> {
  const lost = {
    id: "3f2c",
    host: "worker-7",
    pid: 4411,
    running: 2,
    jobs: ["copy-object/1", "copy-object/2"],
    seenAt: new Date(Date.now() - 240_000).toISOString(),
  };
  await redis.hset(redisKeys(prefix).lostWorkers(), "3f2c", JSON.stringify(lost));
  const torn = { at: new Date().toISOString(), reason: "data is no JSON", raw: `{"data":"torn` };
  await redis.hset(redisKeys(prefix).quarantine(), "head-object/torn-1", JSON.stringify(torn));
}

/** The problem that a failed job belongs to, once there is one. */
async function problemOf({ dashboard }: AtWork, job: string): Promise<string> {
  const problem = async () => (await dashboard.send(`/api/jobs/${job}`)).json()["problem"];
  return String(await vi.waitUntil(problem, ACTIONS_WITHIN));
}
