// Runs in a copy of the project that has the verb `touch`, and prints as JSON what it saw of it.
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { startDashboardProcess } from "../cli/processes/dashboard.ts";
import type { BatchSpecInput } from "../producer/index.ts";
import { findChromium, openPage, startBrowser } from "./browser.ts";
import { startStack } from "./stack.ts";
import { childEnv } from "./child-env.ts";

/** More than one chunk. */
const OBJECTS = 1200;
/** Copies after which the worker is killed, in the middle of a chunk. */
const KILLED_AFTER = 300;

const run = promisify(execFile);
const root = join(import.meta.dirname, "..");
// Not known to the types of the project that this file stands in.
const touch = { operation: "touch" } as unknown as Pick<BatchSpecInput, "operation">;

await using stack = await startStack();
const { sandbox, producer } = stack;
const env = {
  ...childEnv(),
  REDIS_URL: stack.redis.url,
  BUCKETLINE_PREFIX: stack.prefix,
  DOCUMENTS_URL: stack.documents,
};
sandbox.createBucket("old");
const keys = Array.from({ length: OBJECTS }, (_, n) => `k${String(n).padStart(4, "0")}`);
for (const key of keys) sandbox.put("old", key, key);
const victim = await stack.startWorker();

const manifest = join(import.meta.dirname, "touch.csv");
await writeFile(manifest, keys.map((key) => `old,${key}\n`).join(""));
const command = ["cli/main.ts", "batch", "start", "touch", manifest, "--dry-run"];
const planned = (await run(process.execPath, command, { cwd: root, env })).stdout;
const copiesOfPlan = sandbox.counts.CopyObject ?? 0;

const batch = producer.batches.get(/batch confirm (\w+)/.exec(planned)?.[1] ?? "");
const killed = new Promise<void>((resolve) => {
  const remove = sandbox.after("CopyObject", () => {
    if ((sandbox.counts.CopyObject ?? 0) < KILLED_AFTER) return;
    remove();
    resolve(victim.kill());
  });
});
await batch.confirm();
await killed;
await stack.startWorker();
const ended = await batch.done();
const rows = new Map<string, string>();
for await (const row of batch.report()) rows.set(row.key, row.status);

const dashboard = await startDashboardProcess({ ...env, BUCKETLINE_DASHBOARD_PORT: "0" });
const get = async (path: string) => (await fetch(new URL(path, dashboard.url))).json() as Promise<Json>;
type Json = Readonly<Record<string, unknown>>;
const asked = await fetch(new URL("/api/batches", dashboard.url), {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ ...touch, source: { bucket: "old", prefix: "k000" } }),
});
const { id } = (await asked.json()) as { id: string }; // the API's answer
const again = await producer.batches.get(id).done();
const page = await lookAtPages(`/batches/${batch.id}`);
const { operations } = await get("/api/operations");
const openApi = await get("/api/openapi.json");
const shown = await get(`/api/batches/${batch.id}`);
await dashboard.stop();

console.log(
  JSON.stringify({
    planned,
    copiesOfPlan,
    ended: { state: ended.state, listed: ended.listed, counted: ended.succeeded + ended.failed + ended.skipped },
    rows: rows.size,
    kept: sandbox.keys("old").length,
    asked: asked.status,
    again: again.succeeded,
    operations,
    shown: { operation: shown["operation"], sources: shown["sources"] },
    inOpenApi: JSON.stringify(openApi).includes('"const":"touch"'),
    page,
  }),
);

async function lookAtPages(path: string) {
  if (findChromium() === undefined) return "no browser here";
  const browser = await startBrowser();
  const watched = await openPage(browser, dashboard.url);
  watched.page.setDefaultTimeout(60_000);
  await watched.page.goto("/batches/new");
  await watched.page.getByLabel("Touch").check();
  const asksForDestination = await watched.page.getByLabel("Destination bucket").isVisible();
  await watched.page.goto(path);
  await watched.page.getByRole("heading", { level: 1, name: /touch/i }).waitFor();
  await browser.close();
  return { asksForDestination, problems: watched.problems };
}
