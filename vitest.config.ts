import { globSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { findProgram } from "./sandbox/redis-engine.ts";
import { LongestFirst } from "./test/longest-first.ts";

/** Files that run a second time, on a real Redis Cluster, by `npm run test:cluster`: jobs, waits, cancels, schedules, batches, the dashboard, what is put aside. */
const ON_CLUSTER = [
  "batches/whole-run.test.ts",
  "producer/schedules.test.ts",
  "producer/jobs/cancel.test.ts",
  "producer/jobs/idempotency.test.ts",
  "producer/jobs/waits.test.ts",
  "dashboard/api/batches/routes.test.ts",
  "dashboard/api/document-routes.test.ts",
  "dashboard/api/job-routes.test.ts",
  "dashboard/watch/throughput.test.ts",
  "jobs/quarantine.test.ts",
  "redis/leases.test.ts",
  "test/everything.test.ts",
  "test/cluster/nodes.test.ts",
  "worker/attempt/evidence.test.ts",
];

/**
 * Walks through all of something, which take long and seldom tell anything new: what the documentation says to type, a verb from CONTRIBUTING, every
 * store that the sandbox can play, something else in the place of each key, every passage that stands twice. `npm run test:walks`, a stage of CI of its own.
 */
const WALKS = [
  "cli/commands/service/conformance.test.ts",
  "test/architecture/duplicates.test.ts",
  "test/docs-code.test.ts",
  "test/docs-commands.test.ts",
  "test/examples.test.ts",
  "test/new-activity.test.ts",
  "test/new-verb.test.ts",
  "test/planted/dashboard.test.ts",
  "test/planted/worker.test.ts",
];

/** The dashboard as it is used: Chromium takes as long as half of all other tests. `npm run test:pages`, a stage of CI of its own. */
const IN_A_BROWSER = "**/*.browser.test.ts";

/** Files that measure a process as a whole: its memory, what it was started with. */
const ALONE = [
  "documents/s3/store.test.ts",
  "sandbox/operations/uploads/parts.test.ts",
  "sandbox/storage/generated-objects.test.ts",
  "worker/bound-heap.test.ts",
];

/**
 * Files that share workers: what they import is loaded once for a worker, not once for a file, which is a third of what they take.
 * A file in these rooms takes back what it changes of its process: clocks, the environment, listeners.
 */
const TOGETHER = globSync(
  "{cli,credentials,dashboard,documents,jobs,model,nestjs,producer,redis,s3,sandbox,worker}/**/*.test.ts",
  { cwd: import.meta.dirname },
).filter((path) => !path.endsWith(".browser.test.ts") && !ALONE.includes(path) && !WALKS.includes(path));

/** Docker alone cannot announce addresses of nodes that both they and this process reach. */
const hasPrograms = ["redis-server", "redis-cli"].every((name) => findProgram(name, process.env["PATH"] ?? ""));

/** Compiling the same packages again for every file and every program is most of what starting them takes. */
const COMPILED = join(import.meta.dirname, "node_modules/.cache/compiled");

export default defineConfig({
  // The examples import what they would from an app.
  resolve: { alias: { "bucketline/nestjs": join(import.meta.dirname, "nestjs/index.ts") } },
  test: {
    environment: "node",
    pool: "forks", // tests start and kill processes and set process-wide limits; a thread would share them
    // Twice the cores of the smallest machine: a file waits as long as it computes.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    env: { NODE_COMPILE_CACHE: COMPILED },
    // CI machines are shared: what a neighbour's load made too slow gets a second chance there, and is reported as retried.
    retry: process.env["CI"] ? 1 : 0,
    // For machines that are busy with more: nothing waits so long on an idle one.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    allowOnly: false,
    passWithNoTests: false,
    projects: [
      {
        extends: true,
        test: {
          name: "one server",
          include: ["**/*.test.ts"],
          exclude: ["**/node_modules/**", "dist/**", "test/cluster/**", IN_A_BROWSER, ...TOGETHER, ...WALKS],
          globalSetup: ["test/global-setup.ts"],
        },
      },
      {
        extends: true,
        test: {
          name: "together",
          include: TOGETHER,
          isolate: false,
          globalSetup: ["test/global-setup.ts"],
        },
      },
      {
        extends: true,
        test: { name: "pages", include: [IN_A_BROWSER], globalSetup: ["test/global-setup.ts"] },
      },
      {
        extends: true,
        test: { name: "walks", include: WALKS, globalSetup: ["test/global-setup.ts"] },
      },
      ...(hasPrograms
        ? [
            {
              extends: true as const,
              test: { name: "cluster", include: ON_CLUSTER, globalSetup: ["test/cluster-setup.ts"] },
            },
          ]
        : []),
    ],
  },
});
