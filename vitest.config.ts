import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    environment: "node",
    include: ["**/*.test.ts"],
    exclude: ["**/node_modules/**", "dist/**"],
    globalSetup: ["test/global-setup.ts"],
    pool: "forks", // tests start and kill processes and set process-wide limits; a thread would share them
    maxWorkers: 2,
    // CI machines are shared: what a neighbour's load made too slow gets a second chance there, and is reported as retried.
    retry: process.env["CI"] ? 1 : 0,
    // For machines that are busy with more: nothing waits so long on an idle one.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    allowOnly: false,
    passWithNoTests: false,
  },
});
