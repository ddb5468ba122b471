import { request } from "undici";
import { expect, onTestFinished, test } from "vitest";
import { startDashboardHarness } from "../test/dashboard-harness.ts";
import { createFuzzer } from "../test/fuzz-requests.ts";
import { openApiRoutes } from "./api/openapi.ts";

/** `node bench/benchmarks/dashboard-fuzz.ts` sends 10,000. */
const REQUESTS = 800;

test("no request, however odd, makes the API fail: every answer is a success or says what was wrong with it", async () => {
  const dashboard = await startDashboardHarness();
  onTestFinished(() => dashboard.close());
  const { paths } = (await dashboard.send("/api/openapi.json")).json() as unknown as Parameters<
    typeof openApiRoutes
  >[0];
  // Streams that do not end by themselves are left out.
  const routes = openApiRoutes({ paths }).filter(({ path }) => path !== "/api/events");
  const next = createFuzzer(routes, 20_261_123);
  for (let i = 0; i < REQUESTS; i++) {
    const { method, path, headers, body } = next();
    const shown = `#${i} ${method} ${path.slice(0, 300)} ${body?.slice(0, 300) ?? ""}`;
    const answer = await request(`${dashboard.url}${path}`, {
      method: method as "GET",
      headers,
      body: body ?? null,
      signal: AbortSignal.timeout(10_000),
    });
    const text = await answer.body.text();
    expect([shown, answer.statusCode < 500 ? "fine" : `${answer.statusCode} ${text}`]).toEqual([shown, "fine"]);
    const type = String(answer.headers["content-type"]);
    const isProblem = answer.statusCode < 400 || method === "HEAD" || type.startsWith("application/problem+json");
    expect([shown, isProblem ? "fine" : `${type} ${text}`]).toEqual([shown, "fine"]);
  }
  expect((await dashboard.send("/api/overview")).status).toBe(200);
}, 60_000);
