import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { accounts, type DashboardHarness, startDashboardHarness } from "../../test/dashboard-harness.ts";
import { openTestRedis } from "../../test/fixtures.ts";
import { redisKeys } from "../../redis/keys.ts";
import { type Harness, startHarness } from "../../test/harness.ts";

let harness: Harness;
let dashboard: DashboardHarness;
beforeAll(async () => {
  harness = await startHarness();
  const { prefix, config } = harness;
  dashboard = await startDashboardHarness({ prefix, documentsUrl: config.documentsUrl });
  harness.sandbox.createBucket("in");
  harness.sandbox.createBucket("out");
});
afterAll(async () => {
  await dashboard.close();
  await harness.close();
});

async function enqueue(activity: string, body: unknown, query = "", headers = {}) {
  const answer = await dashboard.send(`/api/activities/${activity}/jobs${query}`, { method: "POST", body, headers });
  expect([answer.status, answer.text]).toEqual([202, expect.any(String)]);
  return answer.json() as unknown as { id: string; url: string };
}

describe("a job over HTTP", () => {
  test("is enqueued, waited for, and has its result", async () => {
    harness.sandbox.put("in", "a b/ü.txt", "content");
    const job = await enqueue("copy-object", {
      object: { bucket: "in", key: "a b/ü.txt" },
      destination: { bucket: "out" },
    });
    expect(job.url).toBe(`/api/jobs/copy-object/${job.id}`);
    const ended = await dashboard.send(`${job.url}/wait?timeout=15`);
    expect(ended.status).toBe(200);
    expect(ended.json()).toMatchObject({
      id: job.id,
      activity: "copy-object",
      state: "completed",
      source: "s3://in/a b/ü.txt",
      destination: "s3://out/a b/ü.txt",
      result: { success: true, object: { bucket: "out", key: "a b/ü.txt", size: 7 } },
      attempts: { made: 1 },
    });
    expect(harness.sandbox.text("out", "a b/ü.txt")).toBe("content");
  });

  test("that failed tells its typed error, and can be run again once the cause is gone", async () => {
    const job = await enqueue("head-object", { object: { bucket: "in", key: "later.txt" } });
    const failed = (await dashboard.send(`${job.url}/wait?timeout=15`)).json();
    expect(failed).toMatchObject({ state: "failed", error: { code: "NoSuchKey", httpStatus: 404, retryable: false } });
    harness.sandbox.put("in", "later.txt", "here");
    expect((await dashboard.send(`${job.url}/retry`, { method: "POST" })).status).toBe(202);
    const done = (await dashboard.send(`${job.url}/wait?timeout=15`)).json();
    expect(done).toMatchObject({ state: "completed", result: { object: { key: "later.txt", size: 4 } } });
    const again = await dashboard.send(`${job.url}/retry`, { method: "POST" });
    expect([again.status, again.json()["code"]]).toEqual([409, "JobNotFailed"]);
  });

  test("a wait that is over before the job answers 202 and how it is", async () => {
    const job = await enqueue("list-buckets", {}, "?delay=3600000");
    const waited = await dashboard.send(`${job.url}/wait?timeout=0`);
    expect(waited.status).toBe(202);
    expect(waited.json()).toMatchObject({ state: "delayed", dueAt: expect.any(String) });
  });

  test("that has not started is cancelled, is not run, and can be looked at afterwards", async () => {
    const job = await enqueue("list-buckets", {}, "?delay=3600000");
    expect((await dashboard.send(`${job.url}/cancel`, { method: "POST" })).status).toBe(202);
    expect((await dashboard.send(job.url)).json()).toMatchObject({ state: "cancelled" });
    expect((await dashboard.send(`${job.url}/wait`)).json()).toMatchObject({ state: "cancelled" });
  });

  test("that runs tells how far it is, also as events, is told to stop, and can be run again", async () => {
    harness.sandbox.put("in", "slow.txt", "slow");
    harness.sandbox.fault({ kind: "stall", key: "slow.txt" });
    const job = await enqueue("head-object", { object: { bucket: "in", key: "slow.txt" } });
    await expect.poll(async () => (await dashboard.send(job.url)).json()["state"]).toBe("active");
    const progress = { bytes: 5, of: 10 };
    const hash = redisKeys(harness.prefix).job("head-object", job.id);
    const redis = openTestRedis();
    onTestFinished(() => redis.disconnect());
    await redis.hset(hash, "progress", JSON.stringify({ ...progress, secret: "CANARY" }));
    expect((await dashboard.send(job.url)).json()["progress"]).toEqual(progress);
    const events = dashboard.send(`${job.url}/events`);
    expect((await dashboard.send(`${job.url}/cancel`, { method: "POST" })).status).toBe(202);
    expect((await dashboard.send(`${job.url}/wait?timeout=15`)).json()).toMatchObject({
      state: "cancelled",
      error: { code: "Cancelled" },
    });
    expect((await events).text).toMatch(
      /^event: progress\ndata: {[^\n]*"state":"cancelled"[^\n]*\n\nevent: end\ndata: {}\n\n$/m,
    );
    const late = await dashboard.send(`${job.url}/cancel`, { method: "POST" });
    expect([late.status, late.json()["code"]]).toEqual([409, "JobEnded"]);
    harness.sandbox.clearFaults();
    expect((await dashboard.send(`${job.url}/retry`, { method: "POST" })).status).toBe(202);
    expect((await dashboard.send(`${job.url}/wait?timeout=15`)).json()).toMatchObject({ state: "completed" });
  });

  test("under an idempotency key it is one job, and with another input a conflict", async () => {
    const headers = { "idempotency-key": "nightly-1" };
    const [one, other] = [
      await enqueue("list-objects", { bucket: "in" }, "", headers),
      await enqueue("list-objects", { bucket: "in" }, "", headers),
    ];
    expect(other.id).toBe(one.id);
    const conflict = await dashboard.send("/api/activities/list-objects/jobs", {
      method: "POST",
      body: { bucket: "out" },
      headers,
    });
    expect([conflict.status, conflict.json()["code"]]).toEqual([409, "IdempotencyConflict"]);
  });

  test("is found by its id alone", async () => {
    const job = await enqueue("list-buckets", {});
    const { jobs } = (await dashboard.send(`/api/jobs?id=${job.id}`)).json();
    expect(jobs).toMatchObject([{ id: job.id, activity: "list-buckets" }]);
    expect((await dashboard.send("/api/jobs?id=nobody")).json()).toEqual({ jobs: [] });
  });
});

describe("a list of jobs", () => {
  test("is paged, the newest first, with what each is about and what it failed with", async () => {
    const ids = [];
    for (const key of ["gone-1", "gone-2", "gone-3"]) {
      const job = await enqueue("get-object", { object: { bucket: "in", key } });
      await dashboard.send(`${job.url}/wait?timeout=15`);
      ids.unshift(job.id);
    }
    const first = (await dashboard.send("/api/jobs/get-object?state=failed&limit=2")).json();
    expect(first).toMatchObject({
      total: 3,
      jobs: [{ id: ids[0], source: "s3://in/gone-3", error: { code: "NoSuchKey" } }, { id: ids[1] }],
    });
    const second = (await dashboard.send("/api/jobs/get-object?state=failed&limit=2&offset=2")).json();
    expect(second["jobs"]).toMatchObject([{ id: ids[2] }]);
  });

  test("shows those that wait in the order in which they will run, prioritized ones after the others", async () => {
    const quiet = await startDashboardHarness();
    try {
      const order = [];
      for (const query of ["", "?priority=2", "", "?priority=1"]) {
        const answer = await quiet.send(`/api/activities/list-buckets/jobs${query}`, { method: "POST", body: {} });
        order.push(String(answer.json()["id"]));
      }
      const [a, d, b, c] = order;
      const ids = async (query: string) =>
        (
          (await quiet.send(`/api/jobs/list-buckets?state=waiting${query}`)).json()["jobs"] as unknown as {
            id: string;
          }[]
        ).map(({ id }) => id);
      expect(await ids("")).toEqual([a, b, c, d]);
      expect([...(await ids("&limit=3")), ...(await ids("&offset=3"))]).toEqual([a, b, c, d]);
      expect([
        ...(await ids("&limit=1")),
        ...(await ids("&offset=1&limit=1")),
        ...(await ids("&offset=2&limit=5")),
      ]).toEqual([a, b, c, d]);
    } finally {
      await quiet.close();
    }
  });
});

describe("a malformed job", () => {
  const key = (id: string) => `${harness.prefix}:presign-object:${id}`;

  test("breaks no list, no page of its own and no listing of bull-board", async () => {
    const quiet = await startDashboardHarness();
    try {
      await quiet.redis.hset(`${quiet.prefix}:presign-object:bad`, {
        data: '{"secretAccessKey":"hunter2',
        name: "x",
        opts: "{",
        timestamp: "1",
      });
      await quiet.redis.lpush(`${quiet.prefix}:presign-object:wait`, "bad");
      const list = await quiet.send("/api/jobs/presign-object?state=waiting");
      expect(list.json()).toMatchObject({ total: 1, jobs: [{ id: "bad", malformed: true }] });
      const page = await quiet.send("/api/jobs/presign-object/bad");
      expect(page.json()).toMatchObject({
        state: "waiting",
        malformed: true,
        raw: expect.stringContaining("secretAccessKey"),
      });
      const board = await quiet.send(
        "/queues/api/queues?activeQueue=presign-object&status=latest&page=1&jobsPerPage=10",
      );
      expect(board.status).toBe(200);
      expect(board.text).toContain('"bad"');
      expect(list.text + page.text + board.text).not.toContain("hunter2");
      const { jobs } = (await quiet.send("/api/quarantine")).json();
      expect(jobs).toMatchObject([
        { activity: "presign-object", id: "bad", reason: expect.stringContaining("expected JSON") },
      ]);
      const retry = await quiet.send("/api/jobs/presign-object/bad/retry", { method: "POST" });
      expect([retry.status, retry.json()["code"]]).toEqual([409, "MalformedJob"]);
      expect((await quiet.send("/api/quarantine/presign-object/bad", { method: "DELETE" })).status).toBe(204);
      expect((await quiet.send("/api/quarantine")).json()).toEqual({ total: 0, jobs: [] });
    } finally {
      await quiet.close();
    }
  });

  test.each([
    ["options that are null", { opts: "null" }],
    ["options that are a list", { opts: "[]" }],
    ["a parent that is null", { parent: "null" }],
    ["attempts that are no number", { atm: "many" }],
    ["a key of a repetition without one", { rjk: "key" }],
  ])("with %s breaks no listing of bull-board", async (_what, fields) => {
    const quiet = await startDashboardHarness();
    try {
      const job = {
        name: "head-bucket",
        data: '{"bucket":"abc"}',
        opts: "{}",
        timestamp: "1",
        delay: "0",
        priority: "0",
      };
      await quiet.redis.hset(`${quiet.prefix}:head-bucket:x`, { ...job, ...fields });
      await quiet.redis.lpush(`${quiet.prefix}:head-bucket:wait`, "x");
      const board = await quiet.send("/queues/api/queues?activeQueue=head-bucket&status=waiting");
      expect([board.status, board.text]).toEqual([200, expect.any(String)]);
      expect((await quiet.send("/api/quarantine")).json()).toMatchObject({ jobs: [{ id: "x" }] });
    } finally {
      await quiet.close();
    }
  });

  test("of another type than a hash breaks no listing of bull-board", async () => {
    const quiet = await startDashboardHarness();
    try {
      await quiet.redis.set(`${quiet.prefix}:head-bucket:x`, "text");
      await quiet.redis.lpush(`${quiet.prefix}:head-bucket:wait`, "x");
      expect((await quiet.send("/queues/api/queues?activeQueue=head-bucket&status=waiting")).status).toBe(200);
    } finally {
      await quiet.close();
    }
  });

  test("a worker puts aside is shown as failed, and why", async () => {
    await dashboard.redis.hset(key("torn"), { data: '{"a":', name: "x", opts: "{}", timestamp: "1" });
    await dashboard.redis.lpush(key("wait"), "torn");
    await dashboard.redis.zadd(key("marker"), 0, "0");
    await expect
      .poll(async () => (await dashboard.send("/api/jobs/presign-object/torn")).json(), { timeout: 15_000 })
      .toMatchObject({
        state: "failed",
        malformed: true,
        raw: '{"a":',
        error: { code: "MalformedJob" },
      });
  });
});

test("the URL of a presign-object job is shown only to an operator who asks for it", async () => {
  const known = accounts();
  harness.sandbox.put("in", "secret.txt", "content");
  const job = await harness.producer.enqueue("presign-object", { object: { bucket: "in", key: "secret.txt" } });
  const { url } = await job.result({ timeout: 15_000 });
  const guarded = await startDashboardHarness({
    prefix: harness.prefix,
    env: { ...known.env, DOCUMENTS_URL: harness.config.documentsUrl },
  });
  try {
    const path = `/api/jobs/presign-object/${job.id}`;
    const plain = await guarded.send(path, { headers: known.operator });
    expect(plain.text).not.toContain("X-Amz-Signature");
    expect(plain.json()).toMatchObject({ result: { document: { name: "presigned-url.json" } } });
    const asked = await guarded.send(`${path}?reveal=true`, { headers: known.operator });
    expect(asked.json()).toMatchObject({ result: { url } });
    expect((await guarded.send(`${path}/wait?reveal=true`, { headers: known.operator })).json()).toMatchObject({
      result: { url },
    });
    for (const way of [path, `${path}/wait`])
      expect((await guarded.send(`${way}?reveal=true`, { headers: known.viewer })).status).toBe(403);
  } finally {
    await guarded.close();
  }
});

describe("what is wrong is said as problem details:", () => {
  test.each([
    ["POST", "/api/activities/list-objects/jobs", { bucket: "abc", limit: "ten" }, 422, "InvalidInput", "limit"],
    ["POST", "/api/activities/list-objects/jobs", { bucket: "abc", prefx: "a" }, 422, "InvalidInput", "prefx"],
    ["POST", "/api/activities/list-objects/jobs", [], 422, "InvalidInput", "body"],
    ["POST", "/api/activities/list-objects/jobs?delay=-1", { bucket: "abc" }, 422, "InvalidInput", "delay"],
    ["POST", "/api/activities/list-objects/jobs?delay=soon", { bucket: "abc" }, 422, "InvalidInput", "delay"],
    ["POST", "/api/activities/lst-objects/jobs", {}, 404, "NotFound", undefined],
    ["GET", "/api/jobs/lst-objects", undefined, 404, "NotFound", "activity"],
    ["GET", "/api/jobs/list-objects?state=done", undefined, 422, "InvalidInput", "state"],
    ["GET", "/api/jobs/list-objects?limit=1000", undefined, 422, "InvalidInput", "limit"],
    ["GET", "/api/jobs/list-objects/nobody", undefined, 404, "JobExpired", undefined],
    ["GET", "/api/jobs/list-objects/nobody/wait", undefined, 404, "JobExpired", undefined],
    ["GET", "/api/jobs/list-objects/nobody/wait?timeout=61", undefined, 422, "InvalidInput", "timeout"],
    ["POST", "/api/jobs/list-objects/nobody/cancel", undefined, 404, "JobExpired", undefined],
    ["POST", "/api/jobs/list-objects/nobody/retry", undefined, 404, "JobExpired", undefined],
    ["DELETE", "/api/quarantine/list-objects/nobody", undefined, 404, "NotFound", undefined],
    ["GET", "/api/nothing", undefined, 404, "NotFound", undefined],
    ["PUT", "/api/activities/list-objects/jobs", {}, 405, "MethodNotAllowed", undefined],
    ["DELETE", "/api/overview", undefined, 405, "MethodNotAllowed", undefined],
  ])("%s %s %j: %i %s", async (method, path, body, status, code, field) => {
    const answer = await dashboard.send(path, { method, body });
    expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
    const problem = answer.json();
    expect(problem).toMatchObject({
      status,
      code,
      type: `urn:bucketline:problem:${code}`,
      title: expect.any(String),
      detail: expect.any(String),
    });
    expect(answer.status).toBe(status);
    expect(problem["field"]).toBe(field);
    expect(answer.headers["allow"] !== undefined).toBe(status === 405);
  });

  test.each([
    ["no JSON", '{"bucket":', { "content-type": "application/json" }, 400],
    ["another type", "bucket=abc", { "content-type": "application/x-www-form-urlencoded" }, 415],
    ["nothing", "", { "content-type": "application/json" }, 400],
    ["too much", JSON.stringify({ bucket: "a".repeat(1024 * 1024) }), { "content-type": "application/json" }, 413],
    ["a poisoned object", '{"bucket":"abc","__proto__":{"admin":true}}', { "content-type": "application/json" }, 400],
  ])("a body that is %s", async (_what, body, headers, status) => {
    const answer = await dashboard.send("/api/activities/list-objects/jobs", { method: "POST", body, headers });
    expect([answer.status, answer.headers["content-type"]]).toEqual([
      status,
      expect.stringMatching(/^application\/problem\+json/),
    ]);
  });

  test("every wrong field at once, with what was expected, and no value repeated", async () => {
    const body = { object: { bucket: "a/b" }, destination: {}, onConflict: "hunter2", credentials: { sealed: 3 } };
    const answer = await dashboard.send("/api/activities/copy-object/jobs", { method: "POST", body });
    const { errors } = answer.json() as unknown as { errors: { field: string; message: string }[] };
    expect(errors.map(({ field }) => field).toSorted()).toEqual([
      "credentials.sealed",
      "destination.bucket",
      "object.bucket",
      "object.key",
      "onConflict",
    ]);
    expect(answer.text).not.toContain("hunter2");
  });

  test("keys that BullMQ keeps beside its jobs are no jobs, whatever is asked of them", async () => {
    await enqueue("list-buckets", {});
    for (const id of ["meta", "wait", "completed", "id", "events", "marker", "stalled-check", ":", "a:lock", "%00"])
      for (const [method, rest] of [
        ["GET", ""],
        ["GET", "/wait?timeout=0"],
        ["POST", "/cancel"],
        ["POST", "/retry"],
      ] as const) {
        const answer = await dashboard.send(`/api/jobs/list-buckets/${id}${rest}`, { method });
        expect([method, id, rest, answer.status]).toEqual([method, id, rest, 404]);
      }
  });
});

test("bull-board may not add, edit, empty or obliterate: what it shows lacks secrets, and what it adds has passed no contract", async () => {
  for (const [method, path] of [
    ["POST", "/queues/api/queues/list-buckets/add"],
    ["PATCH", "/queues/api/queues/list-buckets/any/update-data"],
    ["PUT", "/queues/api/queues/list-buckets/obliterate"],
    ["PUT", "/queues/api/queues/list-buckets/empty"],
    ["PUT", "/queues/api/queues/list-buckets/retry/failed"],
    ...["wait", "waiting", "delayed", "paused", "prioritized", "active", "nothing"].map(
      (state) => ["PUT", `/queues/api/queues/list-buckets/clean/${state}`] as const,
    ),
  ] as const) {
    const answer = await dashboard.send(path, { method, body: {} });
    expect([path, answer.status]).toEqual([path, 403]);
  }
  const ended = await dashboard.send("/queues/api/queues/list-buckets/clean/completed", { method: "PUT", body: {} });
  expect(ended.status).toBe(200);
  // Chunks belong to their batch.
  expect((await dashboard.send("/queues/api/queues/batch-chunk/pause", { method: "PUT" })).status).toBe(405);
});

test("bull-board runs a cancelled job again without cancelling it again, and shows viewers no button", async () => {
  harness.sandbox.createBucket("again");
  harness.sandbox.put("again", "a.txt", "a");
  harness.sandbox.fault({ kind: "stall", key: "a.txt" });
  const job = await harness.producer.enqueue("head-object", { object: { bucket: "again", key: "a.txt" } });
  await expect.poll(() => job.state(), { timeout: 20_000 }).toBe("active");
  await job.cancel();
  const state = async () => (await dashboard.send(`/api/jobs/head-object/${job.id}`)).json()["state"];
  await expect.poll(state, { timeout: 20_000 }).toBe("cancelled");
  harness.sandbox.clearFaults();
  const answer = await dashboard.send(`/queues/api/queues/head-object/${job.id}/retry`, { method: "PUT", body: {} });
  expect(answer.status).toBeLessThan(300);
  await expect.poll(state, { timeout: 20_000 }).toBe("completed");
  const known = accounts();
  const signed = await startDashboardHarness({ prefix: harness.prefix, env: known.env });
  onTestFinished(() => signed.close());
  const modes = async (headers: Readonly<Record<string, string>>) =>
    /"name":"head-object".*?"readOnlyMode":(true|false)/.exec(
      (await signed.send("/queues/api/queues", { headers })).text,
    )?.[1];
  expect(await modes(known.viewer)).toBe("true");
  expect(await modes(known.operator)).toBe("false");
});
