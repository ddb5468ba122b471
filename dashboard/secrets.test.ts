import { afterAll, beforeAll, expect, test } from "vitest";
import { accounts, type DashboardHarness, startDashboardHarness } from "../test/dashboard-harness.ts";
import { type Harness, startHarness } from "../test/harness.ts";
import { openApiRoutes } from "./api/openapi.ts";

/** What must be seen nowhere. Each stands for one way by which a secret could get to the dashboard. */
const CANARIES = {
  sealed: "CANARYsealedAAAAAAAAAAAAAAAA",
  jobField: "CANARYjobfieldBBBBBBBBBBBBB",
  failedReason: "CANARYreasonCCCCCCCCCCCCCC",
  malformed: "CANARYmalformedDDDDDDDDDDD",
  batch: "CANARYbatchEEEEEEEEEEEEEEE",
  schedule: "CANARYscheduleFFFFFFFFFFFF",
  redisPassword: "CANARYredisGGGGGGGGGGGGGG",
  progress: "CANARYprogressHHHHHHHHHHH",
  log: "CANARYlogIIIIIIIIIIIIIIIII",
};

const QUEUES = ["list-buckets", "presign-object", "head-bucket", "batch-chunk"];

let harness: Harness;
let dashboard: DashboardHarness;
let known: ReturnType<typeof accounts>;
let signature: string;
const ids: string[] = [];

beforeAll(async () => {
  known = accounts();
  harness = await startHarness();
  const { prefix } = harness;
  dashboard = await startDashboardHarness({ prefix, documentsUrl: harness.config.documentsUrl, env: known.env });
  harness.sandbox.createBucket("in");
  harness.sandbox.put("in", "a.txt", "content");
  await enqueueSealed();
  await writeByHand();
  await dashboard.send("/api/batches", {
    method: "POST",
    headers: known.operator,
    body: {
      operation: "copy",
      source: { bucket: "in" },
      destination: { bucket: "in2", credentials: { sealed: CANARIES.batch } },
      credentials: { sealed: CANARIES.batch },
    },
  });
}, 60_000);
afterAll(async () => {
  await dashboard.close();
  await harness.close();
});

/** Jobs and a schedule with sealed credentials, and a job whose result is a secret itself. */
async function enqueueSealed(): Promise<void> {
  const sealed = { sealed: `eyJhbGciOiJFQ0RILUVTIn0..${CANARIES.sealed}.x.y` };

  const presigned = await harness.producer.enqueue("presign-object", { object: { bucket: "in", key: "a.txt" } });
  signature = new URL((await presigned.result({ timeout: 15_000 })).url).searchParams.get("X-Amz-Signature") ?? "";
  const failing = await harness.producer.enqueue("list-buckets", { credentials: sealed });
  await failing.succeeded({ timeout: 15_000 });
  const waiting = await harness.producer.enqueue("list-buckets", { credentials: sealed }, { delay: 3_600_000 });
  ids.push(presigned.id, failing.id, waiting.id);
  await harness.producer.schedule("nightly", { every: 3_600_000 }, "list-buckets", {
    credentials: { sealed: `${CANARIES.schedule}..` },
  });
}

/** What others may write: a producer of another language, or a hand. */
async function writeByHand(): Promise<void> {
  const key = (id: string) => `${harness.prefix}:head-bucket:${id}`;
  const secrets = { bucket: "abc", secretAccessKey: CANARIES.jobField, nested: [{ password: CANARIES.jobField }] };
  await dashboard.redis.hset(key("foreign"), {
    name: "head-bucket",
    data: JSON.stringify(secrets),
    opts: JSON.stringify({ attempts: 1, sessionToken: CANARIES.jobField }),
    progress: JSON.stringify({ secretAccessKey: CANARIES.progress }),
    timestamp: Date.now(),
    finishedOn: Date.now(),
    failedReason: `cannot reach https://s3.example/in/a?X-Amz-Signature=${CANARIES.failedReason}`,
    stacktrace: JSON.stringify([`Error: redis://user:${CANARIES.failedReason}@host`]),
    error: JSON.stringify({ code: "Odd", message: `secretAccessKey=${CANARIES.failedReason}`, retryable: false }),
  });
  await dashboard.redis.zadd(key("failed"), Date.now(), "foreign");
  await dashboard.redis.rpush(`${key("foreign")}:logs`, `got password: ${CANARIES.log}`);
  await dashboard.redis.hset(key("torn"), {
    data: `{"secretAccessKey":"${CANARIES.malformed}","b`,
    name: "x",
    opts: "{}",
    timestamp: "1",
  });
  await dashboard.redis.lpush(key("wait"), "torn");
  ids.push("foreign", "torn");
}

/** All that an operator is answered, with the headers. */
async function lookEverywhere(): Promise<readonly string[]> {
  const seen: string[] = [];
  const look = async (path: string, method = "GET") => {
    const answer = await dashboard.send(path, { method, headers: known.operator });
    seen.push(`${path}\n${answer.status}\n${JSON.stringify(answer.headers)}\n${answer.text}`);
    return answer;
  };
  const document = (await look("/api/openapi.json")).json() as unknown as Parameters<typeof openApiRoutes>[0];
  const { batches } = (await look("/api/batches")).json() as unknown as { batches: { id: string }[] };
  expect(batches).toHaveLength(1);
  const paths = pathsOf(document, batches[0]?.id ?? "");
  for (const path of new Set(paths)) await look(path);
  for (const id of ids) await look(`/api/jobs?id=${id}`);
  for (const page of ["/", "/jobs", "/batches", "/login", "/quarantine", "/docs", "/metrics", "/queues/"])
    await look(page);

  for (const queue of QUEUES) {
    for (const status of ["latest", "completed", "failed", "delayed", "waiting"])
      await look(`/queues/api/queues?activeQueue=${queue}&status=${status}&page=1&jobsPerPage=50`);
    for (const id of ids)
      for (const rest of ["", "/logs", "/flow"]) await look(`/queues/api/queues/${queue}/${id}${rest}`);
  }
  await look("/queues/api/job-schedulers");
  await look("/queues/api/redis/stats");
  await look("/queues/api/queues/list-buckets/default-job-options");
  return seen;
}

/** Of every route that is looked at, with ids that are there. Of events, what they are of: they hold what it answers, and end with it. */
function pathsOf(document: Parameters<typeof openApiRoutes>[0], batch: string): readonly string[] {
  return openApiRoutes(document)
    .filter(({ method, path }) => method === "GET" && path !== "/api/events")
    .flatMap(({ path }) => {
      if (!path.startsWith("/api/jobs/"))
        return [path.replace(":id", path.includes("batches") ? batch : "x").replace("/events", "")];
      return QUEUES.flatMap((queue) =>
        ids.flatMap((id) =>
          ["waiting", "active", "delayed", "failed", "completed"].map(
            (state) =>
              `${path.replace(":activity", queue).replace(":id", id).replace("/events", "")}?state=${state}&timeout=0`,
          ),
        ),
      );
    });
}

test("secrets are in no page, no answer of the API, no metric, no answer of bull-board and no log", async () => {
  const seen = await lookEverywhere();
  const everything = `${seen.join("\n")}\n${dashboard.logged()}`;
  // Seen at all, so that what is not found was looked for in the right place.
  for (const there of [
    "[redacted]",
    '"foreign"',
    '"torn"',
    "s3://in/a.txt",
    "nightly",
    "got password: [redacted]",
    "cannot reach https://s3.example/in/a?[redacted]",
  ])
    expect([there, everything.includes(there)]).toEqual([there, true]);
  const secrets = {
    ...CANARIES,
    signature,
    s3: harness.sandbox.credentials.secretAccessKey,
    password: known.password,
    token: known.operator.authorization,
  };
  for (const [name, secret] of Object.entries(secrets)) {
    expect(secret.length).toBeGreaterThan(8);
    expect([name, seen.find((text) => text.includes(secret))?.slice(0, 400)]).toEqual([name, undefined]);
    expect([name, dashboard.logged().includes(secret)]).toEqual([name, false]);
  }
});

test("a password in the address of Redis is not in the log when it does not answer", async () => {
  const gone = await startDashboardHarness({ redis: `redis://user:${CANARIES.redisPassword}@127.0.0.1:1` });
  try {
    expect((await gone.send("/api/overview")).status).toBe(503);
    expect(gone.logged()).toContain("Redis does not answer");
    expect(gone.logged()).not.toContain(CANARIES.redisPassword);
  } finally {
    await gone.close();
  }
});
