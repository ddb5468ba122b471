import { expect, onTestFinished, test } from "vitest";
import { startDashboardHarness } from "./dashboard-harness.ts";
import { doEverything } from "./everything.ts";
import { redisUrl } from "./fixtures.ts";
import { startHarness } from "./harness.ts";

test("jobs, batches, schedules and pages, each once, on the Redis of this run", async () => {
  const harness = await startHarness();
  onTestFinished(() => harness.close());
  const dashboard = await startDashboardHarness({
    prefix: harness.prefix,
    documentsUrl: harness.config.documentsUrl,
  });
  onTestFinished(() => dashboard.close());
  await doEverything({ harness, dashboard });
  expect(harness.config.redis).toBe(redisUrl());
}, 120_000);
