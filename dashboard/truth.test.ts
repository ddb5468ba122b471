import { expect, onTestFinished, test } from "vitest";
import { startDashboardHarness } from "../test/dashboard-harness.ts";
import { startHarness } from "../test/harness.ts";

const SLOW = { timeout: 120_000, interval: 200 };
const BATCHES = 20;
const OBJECTS = 12;
/** Objects per second of each batch. */
const LIMIT = 6;

type Batch = {
  readonly id: string;
  readonly state: string;
  readonly listed: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly objectsPerSecond: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly requests: { readonly copy: number };
  readonly holds: readonly { readonly code: string; readonly message: string }[];
};

/** More batches than the four slots of a worker, each with a limit, so that every chunk is given up and taken again; and a store that fails some objects. */
test("what is shown of batches is what the store and Redis have counted: objects, requests, speed, record, failures", async () => {
  const harness = await startHarness();
  const dashboard = await startDashboardHarness({ prefix: harness.prefix, documentsUrl: harness.config.documentsUrl });
  onTestFinished(async () => {
    await dashboard.close();
    await harness.close();
  });
  const { sandbox, producer } = harness;
  for (const bucket of ["in", "out"]) sandbox.createBucket(bucket);
  for (let i = 0; i < OBJECTS; i++) sandbox.put("in", `many/${i}`, "x");
  sandbox.fault({ kind: "status", operation: "CopyObject", key: /\/7$/, status: 403, code: "AccessDenied" });
  const started = await Promise.all(
    Array.from({ length: BATCHES }, (_, index) =>
      producer.batches.start({
        operation: "copy",
        source: { bucket: "in", prefix: "many/" },
        destination: { bucket: "out", prefix: `${index}/` },
        maxObjectsPerSecond: LIMIT,
      }),
    ),
  );
  const all = async () => {
    const answers = await Promise.all(started.map(({ id }) => dashboard.send(`/api/batches/${id}`)));
    return answers.map((answer) => answer.json() as unknown as Batch);
  };
  const faster: number[] = [];
  const waited = new Set<string>();
  await expect
    .poll(async () => {
      const batches = await all();
      for (const { objectsPerSecond, holds } of batches) {
        // A window of ten seconds may hold the burst that a limit allows at its beginning.
        if (objectsPerSecond > 2 * LIMIT) faster.push(objectsPerSecond);
        for (const { message } of holds) waited.add(message.replace(/\d+ batch.*/, "N"));
      }
      return batches.filter(({ state }) => state === "completed").length;
    }, SLOW)
    .toBe(BATCHES);
  expect(faster).toEqual([]);
  expect([...waited].some((message) => message === "waits for a slot behind N")).toBe(true);
  const batches = await all();
  for (const batch of batches)
    expect(batch).toMatchObject({ listed: OBJECTS, succeeded: OBJECTS - 1, failed: 1, errors: { AccessDenied: 1 } });
  // The store counted each copy once, and so does the sum of what is shown.
  expect(batches.reduce((sum, { requests }) => sum + requests.copy, 0)).toBe(sandbox.calls("CopyObject"));
  for (const { id } of started) {
    const { buckets } = (await dashboard.send(`/api/batches/${id}/throughput`)).json() as unknown as {
      buckets: { objects: number }[];
    };
    // The record holds all that was tried, whatever came of it.
    expect(buckets.reduce((sum, { objects }) => sum + objects, 0)).toBe(OBJECTS);
  }
  const metrics = (await dashboard.send("/metrics")).text;
  expect(metrics).toMatch(
    new RegExp(String.raw`^bucketline_batches_ended_total\{state="completed"\} ${BATCHES}$`, "m"),
  );
  const { problems } = (await dashboard.send("/api/problems")).json() as unknown as {
    problems: { kind: string; code?: string; count: number; open?: number }[];
  };
  expect(problems.filter(({ kind }) => kind === "batch-objects")).toMatchObject([
    { code: "AccessDenied", count: BATCHES, open: BATCHES },
  ]);
}, 180_000);

test("what is shown of jobs is what was done: counts, and waits without the time for which they were to wait", async () => {
  const harness = await startHarness();
  const dashboard = await startDashboardHarness({ prefix: harness.prefix, documentsUrl: harness.config.documentsUrl });
  onTestFinished(async () => {
    await dashboard.close();
    await harness.close();
  });
  const { sandbox, producer } = harness;
  sandbox.createBucket("in");
  const began = Date.now();
  const delayed = await Promise.all(
    Array.from({ length: 10 }, () => producer.enqueue("head-bucket", { bucket: "in" }, { delay: 6000 })),
  );
  await producer.schedule("often", { every: "2s" }, "list-buckets", {});
  const missing = await Promise.all(
    Array.from({ length: 5 }, (_, index) =>
      producer.enqueue("head-object", { object: { bucket: "in", key: `${index}` } }),
    ),
  );
  for (const job of [...missing, ...delayed]) await job.succeeded({ timeout: 60_000 });
  await producer.schedules.remove("often");
  type Queue = { readonly name: string; readonly failed: number; readonly completed: number; readonly waiting: number };
  const queues = async () => (await dashboard.send("/api/overview")).json()["queues"] as unknown as Queue[];
  const of = async (wanted: string) => (await queues()).find(({ name }) => name === wanted);
  await expect.poll(() => of("head-object"), SLOW).toMatchObject({ failed: 5, completed: 0, waiting: 0 });
  await expect.poll(async () => (await of("head-bucket"))?.completed, SLOW).toBe(sandbox.calls("HeadBucket"));
  type Buckets = { completed: number | null; failed: number | null; waitP95: number | null }[];
  const record = async (activity: string) => {
    const answer = await dashboard.send(`/api/throughput?range=15m&activity=${activity}`);
    const buckets = answer.json()["buckets"] as unknown as Buckets;
    const sum = (field: "completed" | "failed") => buckets.reduce((total, bucket) => total + (bucket[field] ?? 0), 0);
    return {
      completed: sum("completed"),
      failed: sum("failed"),
      longestWait: Math.max(...buckets.map(({ waitP95 }) => waitP95 ?? 0)),
    };
  };
  const elapsed = Date.now() - began;
  expect(await record("head-object")).toMatchObject({ completed: 0, failed: 5 });
  const ofDelayed = await record("head-bucket");
  expect(ofDelayed).toMatchObject({ completed: sandbox.calls("HeadBucket"), failed: 0 });
  // They were asked for six seconds ahead, and no wait is longer than what was left of all of it.
  expect(ofDelayed.longestWait).toBeLessThanOrEqual(elapsed - 6000);
  // Each run of a schedule is asked for when the one before begins, two seconds ahead of its time.
  expect((await record("list-buckets")).longestWait).toBeLessThanOrEqual(elapsed - 2000);
}, 180_000);
