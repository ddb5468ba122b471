import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { pino } from "pino";
import { request } from "undici";
import { openApiRoutes } from "../../dashboard/api/openapi.ts";
import { parseDashboardConfig } from "../../dashboard/config.ts";
import { createDashboard } from "../../dashboard/create.ts";
import { startRedis } from "../../sandbox/index.ts";
import { createFuzzer } from "../../test/fuzz-requests.ts";

// `node bench/benchmarks/dashboard-fuzz.ts [requests] [seed]`: generated requests to every route of the HTTP API; none may be answered with 5xx.

const requests = Number(process.argv[2] ?? 10_000);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
const AT_ONCE = 8;

await using stack = new AsyncDisposableStack();
const redis = await startRedis();
stack.defer(() => redis.stop());
const folder = await mkdtemp(join(tmpdir(), "bucketline-fuzz-"));
stack.defer(() => rm(folder, { recursive: true }));
const config = parseDashboardConfig({
  REDIS_URL: redis.url,
  DOCUMENTS_URL: pathToFileURL(folder).href,
  BUCKETLINE_DASHBOARD_PORT: "0",
  BUCKETLINE_DASHBOARD_REQUESTS_PER_MINUTE: "1000000",
});
const dashboard = await createDashboard(config, { log: pino({ level: "error" }) });
stack.defer(() => dashboard.close());
const base = dashboard.url.replace(/\/$/, "");

const document = (await (await fetch(`${base}/api/openapi.json`)).json()) as Parameters<typeof openApiRoutes>[0];
// A stream that does not end by itself cannot be waited for.
const next = createFuzzer(
  openApiRoutes(document).filter(({ path }) => path !== "/api/events"),
  seed,
);
const statuses = new Map<number, number>();
const failures: string[] = [];
let left = requests;
const startedAt = performance.now();
await Promise.all(Array.from({ length: AT_ONCE }, worker));

async function worker(): Promise<void> {
  while (left > 0) {
    left -= 1;
    const { method, path, headers, body } = next();
    const answer = await request(`${base}${path}`, { method: method as "GET", headers, body: body ?? null });
    const text = await answer.body.text();
    statuses.set(answer.statusCode, (statuses.get(answer.statusCode) ?? 0) + 1);
    if (answer.statusCode >= 500) failures.push(`${answer.statusCode} ${method} ${path} ${body ?? ""}\n  ${text}`);
  }
}

console.log(`${requests} requests in ${((performance.now() - startedAt) / 1000).toFixed(1)} s, seed ${seed}`);
for (const [status, count] of [...statuses].toSorted(([a], [b]) => a - b)) console.log(`  ${status}  ${count}`);
console.log(`answered with 5xx: ${failures.length}`);
for (const failure of failures.slice(0, 20)) console.log(failure);
process.exitCode = failures.length === 0 ? 0 : 1;
