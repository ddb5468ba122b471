import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DashboardHarness, startDashboardHarness } from "../../../test/dashboard-harness.ts";
import { type Harness, startHarness } from "../../../test/harness.ts";

let harness: Harness;
let dashboard: DashboardHarness;
beforeAll(async () => {
  harness = await startHarness();
  dashboard = await startDashboardHarness({ prefix: harness.prefix, documentsUrl: harness.config.documentsUrl });
});
afterAll(async () => {
  await dashboard.close();
  await harness.close();
});

let made = 0;
/** Two buckets of their own, the first one filled. */
function buckets(count: number): [from: string, to: string] {
  made++;
  const pair: [string, string] = [`from-${made}`, `to-${made}`];
  for (const name of pair) harness.sandbox.createBucket(name);
  for (let i = 0; i < count; i++) harness.sandbox.put(pair[0], `k/${String(i).padStart(4, "0")}`, `content ${i}`);
  return pair;
}

type Batch = { readonly id: string; readonly state: string } & Record<string, unknown>;

async function start(body: object, headers = {}): Promise<Batch> {
  const answer = await dashboard.send("/api/batches", { method: "POST", body, headers });
  expect([answer.status, answer.text]).toEqual([201, expect.any(String)]);
  return answer.json() as unknown as Batch;
}

const look = async (id: string): Promise<Batch> =>
  (await dashboard.send(`/api/batches/${id}`)).json() as unknown as Batch;
const becomes = (id: string, state: string) =>
  expect.poll(async () => (await look(id)).state, { timeout: 15_000 }).toBe(state);

describe("a batch over HTTP", () => {
  test("runs to its end; its report has a row for every object, as NDJSON and as CSV", async () => {
    const [from, to] = buckets(30);
    harness.sandbox.fault({
      kind: "status",
      operation: "CopyObject",
      key: "m/0007",
      status: 403,
      code: "AccessDenied",
    });
    const { id } = await start({
      operation: "move",
      source: { bucket: from, prefix: "k/" },
      destination: { bucket: to, prefix: "m/" },
    });
    await becomes(id, "completed");
    harness.sandbox.clearFaults();
    expect(await look(id)).toMatchObject({
      listed: 30,
      succeeded: 29,
      failed: 1,
      errors: { AccessDenied: 1 },
      objectsPerSecond: 0,
    });
    const ndjson = await dashboard.send(`/api/batches/${id}/report`);
    expect(ndjson.headers["content-disposition"]).toBe(`attachment; filename="batch-${id}.ndjson"`);
    const rows = ndjson.text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { key: string; status: string });
    expect(rows.map(({ key }) => key).toSorted()).toEqual(
      Array.from({ length: 30 }, (_, i) => `k/${String(i).padStart(4, "0")}`),
    );
    expect(rows.filter(({ status }) => status === "failed").map(({ key }) => key)).toEqual(["k/0007"]);
    expect(harness.sandbox.keys(from)).toEqual(["k/0007"]);
    const csv = (await dashboard.send(`/api/batches/${id}/report?format=csv&only=failed`)).text.trimEnd().split("\n");
    expect(csv).toHaveLength(2);
    expect(csv[1]).toMatch(/^"from-\d+","k\/0007","","failed","AccessDenied"/);
    const { rows: failures } = (await dashboard.send(`/api/batches/${id}/failures`)).json();
    expect(failures).toMatchObject([{ key: "k/0007", code: "AccessDenied" }]);
    const { buckets: steps } = (await dashboard.send(`/api/batches/${id}/throughput`)).json() as unknown as {
      buckets: { objects: number }[];
    };
    expect(steps.reduce((sum, { objects }) => sum + objects, 0)).toBe(30);

    const retried = await dashboard.send(`/api/batches/${id}/retry-failed`, { method: "POST" });
    expect(retried.status).toBe(201);
    const second = String(retried.json()["id"]);
    await becomes(second, "completed");
    expect(await look(second)).toMatchObject({ retryOf: id, succeeded: 1, failed: 0 });
    expect(harness.sandbox.count(from)).toBe(0);
  });

  test("is planned by a dry run, which changes nothing, and then confirmed", async () => {
    const [from, to] = buckets(5);
    harness.sandbox.put(to, "k/0001", "there");
    const { id } = await start({
      operation: "copy",
      source: { bucket: from },
      destination: { bucket: to },
      dryRun: true,
    });
    await becomes(id, "planned");
    expect(await look(id)).toMatchObject({ plan: { objects: 5, collisions: 1 } });
    expect(harness.sandbox.count(to)).toBe(1);
    expect((await dashboard.send(`/api/batches/${id}/confirm`, { method: "POST" })).status).toBe(200);
    await becomes(id, "completed");
    expect(harness.sandbox.count(to)).toBe(5);
  });

  test("is paused, resumed and cancelled", async () => {
    const [from, to] = buckets(400);
    const { id } = await start({
      operation: "copy",
      source: { bucket: from },
      destination: { bucket: to },
      maxObjectsPerSecond: 20,
    });
    const steer = async (verb: string) =>
      (await dashboard.send(`/api/batches/${id}/${verb}`, { method: "POST" })).status;
    await expect.poll(async () => Number((await look(id))["succeeded"]), { timeout: 15_000 }).toBeGreaterThan(0);
    expect(await steer("pause")).toBe(200);
    await becomes(id, "paused");
    const before = Number((await look(id))["succeeded"]);
    expect(await steer("resume")).toBe(200);
    await expect.poll(async () => Number((await look(id))["succeeded"]), { timeout: 15_000 }).toBeGreaterThan(before);
    expect(
      (await dashboard.send(`/api/batches/${id}/priority`, { method: "POST", body: { priority: 7 } })).json(),
    ).toMatchObject({ priority: 7 });
    expect(await steer("cancel")).toBe(200);
    await becomes(id, "cancelled");
    const { listed, succeeded, failed, skipped, unattempted } = (await look(id)) as unknown as Record<string, number>;
    expect(listed).toBe((succeeded ?? 0) + (failed ?? 0) + (skipped ?? 0) + (unattempted ?? 0));
    const again = await dashboard.send(`/api/batches/${id}/confirm`, { method: "POST" });
    expect([again.status, again.json()["code"]]).toEqual([409, "NotPlanned"]);
  });

  test("tells its progress as events, down to the last one", async () => {
    const [from, to] = buckets(60);
    const { id } = await start({
      operation: "copy",
      source: { bucket: from },
      destination: { bucket: to },
      maxObjectsPerSecond: 40,
    });
    const { text, headers } = await dashboard.send(`/api/batches/${id}/events`);
    expect(headers["content-type"]).toMatch(/^text\/event-stream/);
    const events = text
      .trimEnd()
      .split("\n\n")
      .map((event) => event.split("\n"));
    expect(events.at(-1)).toEqual(["event: end", "data: {}"]);
    const seen = events.slice(0, -1).map(([, data = ""]) => JSON.parse(data.replace("data: ", "")) as Batch);
    expect(seen.length).toBeGreaterThan(1);
    expect(seen.at(-1)).toMatchObject({ state: "completed", succeeded: 60 });
  });

  test("that a schedule started is seen, followed, reported and steered as any other", async () => {
    const [from] = buckets(3);
    await harness.producer.batches.schedule(
      "nightly",
      { every: 3_600_000 },
      { operation: "delete", source: { bucket: from } },
    );
    const find = async () => {
      const { batches } = (await dashboard.send("/api/batches")).json() as unknown as { batches: Batch[] };
      return batches.find(({ id }) => id.startsWith("s"))?.id ?? "";
    };
    await expect.poll(find, { timeout: 15_000 }).not.toBe("");
    const id = await find();
    await becomes(id, "completed");
    for (const path of ["", "/report", "/failures", "/throughput", "/events"])
      expect([path, (await dashboard.send(`/api/batches/${id}${path}`)).status]).toEqual([path, 200]);
    const cancelled = await dashboard.send(`/api/batches/${id}/cancel`, { method: "POST" });
    expect([cancelled.status, cancelled.json()["field"]]).not.toEqual([404, "id"]);
    await harness.producer.batches.schedules.remove("nightly");
  });

  test("is listed, the newest first, page by page and by state", async () => {
    const quiet = await startDashboardHarness();
    try {
      const ids = [];
      for (let i = 0; i < 5; i++) {
        const answer = await quiet.send("/api/batches", {
          method: "POST",
          body: { operation: "delete", source: { bucket: "abc", prefix: `${i}/` } },
        });
        ids.unshift(answer.json()["id"]);
      }
      type Page = { batches: Batch[]; next?: string };
      const page = async (query: string) => (await quiet.send(`/api/batches?${query}`)).json() as unknown as Page;
      const first = await page("limit=2");
      const second = await page(`limit=3&cursor=${first.next}`);
      expect([...first.batches, ...second.batches].map(({ id }) => id)).toEqual(ids);
      expect((await page("state=running")).batches).toHaveLength(5);
      expect((await page("state=failed")).batches).toEqual([]);
    } finally {
      await quiet.close();
    }
  });

  test("under an idempotency key it is one batch", async () => {
    const [from] = buckets(1);
    const spec = { operation: "delete", source: { bucket: from, prefix: "none/" } };
    const [one, other] = [await start(spec, { "idempotency-key": "a" }), await start(spec, { "idempotency-key": "a" })];
    expect(other.id).toBe(one.id);
    const conflict = await dashboard.send("/api/batches", {
      method: "POST",
      body: { ...spec, priority: 3 },
      headers: { "idempotency-key": "a" },
    });
    expect([conflict.status, conflict.json()["code"]]).toEqual([409, "IdempotencyConflict"]);
  });
});

test.each([
  ["POST", "/api/batches", {}, 422, "InvalidInput", "operation"],
  ["POST", "/api/batches", { operation: "copy", source: { bucket: "abc" } }, 422, "InvalidInput", "destination"],
  [
    "POST",
    "/api/batches",
    { operation: "move", source: { bucket: "abc", prefix: "a/" }, destination: { bucket: "abc", prefix: "a/b/" } },
    422,
    "BatchOverlap",
    "destination.prefix",
  ],
  [
    "POST",
    "/api/batches",
    { operation: "delete", source: { bucket: "abc" }, onConflct: "skip" },
    422,
    "InvalidInput",
    "onConflct",
  ],
  ["GET", "/api/batches/bnobody12345", undefined, 404, "BatchNotFound", undefined],
  ["GET", "/api/batches/watchdog", undefined, 404, "NotFound", "id"],
  ["GET", "/api/batches/bnobody12345/report", undefined, 404, "BatchNotFound", undefined],
  ["GET", "/api/batches/bnobody12345/report?only=lost", undefined, 422, "InvalidInput", "only.0"],
  ["GET", "/api/batches/bnobody12345/events", undefined, 404, "BatchNotFound", undefined],
  ["GET", "/api/batches?cursor=x", undefined, 422, "InvalidInput", "cursor"],
  ["POST", "/api/batches/bnobody12345/pause", undefined, 404, "BatchNotFound", undefined],
  ["POST", "/api/batches/bnobody12345/confirm", undefined, 404, "BatchNotFound", undefined],
  ["POST", "/api/batches/bnobody12345/retry-failed", undefined, 404, "BatchNotFound", undefined],
  ["POST", "/api/batches/bnobody12345/priority", { priority: 0 }, 422, "InvalidInput", "priority"],
])("%s %s %j is answered with %i %s", async (method, path, body, status, code, field) => {
  const answer = await dashboard.send(path, { method, body });
  expect([answer.status, answer.json()["code"], answer.json()["field"]]).toEqual([status, code, field]);
});
