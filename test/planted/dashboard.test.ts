import type { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openApiRoutes } from "../../dashboard/api/openapi.ts";
import { type DashboardHarness, startDashboardHarness } from "../dashboard-harness.ts";
import { openTestRedis } from "../fixtures.ts";
import { type Harness, startHarness } from "../harness.ts";
import { KIND_NAMES, kindOf, type Named, withAnother } from "./kinds.ts";
import { fillWorld } from "./world.ts";

/** Whatever lies where something of ours belongs: no answer of the dashboard is a failure of it, and none is waited for in vain. */
let harness: Harness;
let redis: Redis;
let named: Named;
let calls: readonly Call[];

type Call = { readonly method: string; readonly path: string; readonly body?: object };

/** Nothing of what it showed before is kept by it. */
async function withFreshDashboard<Result>(run: (dashboard: DashboardHarness) => Promise<Result>): Promise<Result> {
  const dashboard = await startDashboardHarness({
    prefix: harness.prefix,
    documentsUrl: harness.config.documentsUrl,
  });
  try {
    return await run(dashboard);
  } finally {
    await dashboard.close();
  }
}

beforeAll(async () => {
  harness = await startHarness();
  redis = openTestRedis();
  named = await fillWorld(harness, redis);
  // From now on nobody but the dashboard reads and writes.
  await harness.worker.close();
  const { paths } = (await withFreshDashboard(({ send }) => send("/api/openapi.json"))).json() as unknown as {
    paths: Parameters<typeof openApiRoutes>[0]["paths"];
  };
  const reads = openApiRoutes({ paths }).filter(
    ({ method, path }) => method === "GET" && !path.endsWith("/wait") && !ELSEWHERE.test(path),
  );
  calls = [...[...reads.map(({ path }) => path), "/metrics"].map(readOf), ...writesTo(named)];
}, 120_000);
afterAll(async () => {
  redis.disconnect();
  await harness.close();
});

/** What is answered without Redis. */
const ELSEWHERE = /^\/api\/(?:openapi\.json|activities|operations|documents|about|bulk|session)\b/;

function readOf(path: string): Call {
  const { queue, job, batch, group } = named;
  const id = path.startsWith("/api/jobs") ? job : path.startsWith("/api/problems") ? `jobs-${group}` : batch;
  const place = path
    .replace(/:(activity|queue)\b/, queue)
    .replace(":kind", "batch")
    .replace(":id", path.startsWith("/api/documents") ? "0".repeat(32) : id);
  return { method: "GET", path: place };
}

function writesTo({ queue, job, batch, schedule, group }: Named): readonly Call[] {
  const writes: readonly (readonly [path: string, body?: object])[] = [
    [`/api/activities/${queue}/jobs`, { bucket: "in" }],
    [`/api/jobs/${queue}/${job}/cancel`],
    [`/api/jobs/${queue}/${job}/retry`],
    ["/api/batches", { operation: "delete", source: { bucket: "in" }, dryRun: true }],
    ...["pause", "resume"].map((verb) => [`/api/batches/${batch}/${verb}`] as const),
    ...["pause", "resume"].map((verb) => [`/api/schedules/${queue}/${schedule}/${verb}`] as const),
    ...["pause", "resume"].map((verb) => [`/api/queues/${queue}/${verb}`] as const),
    ...["acknowledge", "reopen"].map((verb) => [`/api/problems/jobs-${group}/${verb}`] as const),
    ["/api/bulk", { action: "retry", filter: { activity: queue }, preview: true }],
  ];
  return writes.map(([path, body]) => ({ method: "POST", path, ...(body && { body }) }));
}

/** Pages of everything: one thing that cannot be read hides no other. */
const WHOLE: ReadonlySet<string> = new Set(["/api/overview", "/api/problems", "/api/search", "/metrics"]);

/** What is wrong with an answer, if anything. */
async function faultOf({ url }: DashboardHarness, { method, path, body }: Call): Promise<string | undefined> {
  const stop = new AbortController();
  try {
    const answer = await fetch(url + path, {
      method,
      ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
      signal: AbortSignal.any([stop.signal, AbortSignal.timeout(20_000)]),
    });
    if (path.endsWith("/events")) stop.abort();
    const text = path.endsWith("/events") ? "" : await answer.text();
    if (answer.status >= 500) return `${answer.status} ${text}`;
    if (WHOLE.has(path) && answer.status !== 200) return `${answer.status} ${text}`;
    return text.includes("bucketline_redis_up 0") ? "Redis is said to be away" : undefined;
  } catch (error) {
    return String(error);
  }
}

test.each(KIND_NAMES)("answers everything, whatever lies where %s belongs", async (name) => {
  const faults: string[] = [];
  const run = (type: string) =>
    withFreshDashboard(async (dashboard) => {
      for (const call of calls) {
        const fault = await faultOf(dashboard, call);
        if (fault !== undefined) faults.push(`as ${type}: ${call.method} ${call.path}: ${fault}`);
      }
    });
  await withAnother(redis, kindOf(harness.prefix, named, name), { turn: KIND_NAMES.indexOf(name), run });
  expect(faults).toEqual([]);
});
