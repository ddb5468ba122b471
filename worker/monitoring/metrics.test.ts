import { expect, test } from "vitest";
import { createMetrics } from "./metrics.ts";

test("a store that gives every failure another name makes so many series and no more", async () => {
  const metrics = createMetrics(() => 0);
  const failed = { activity: "head-object", outcome: "fail", durationMs: 1 } as const;
  for (let n = 0; n < 1000; n++) metrics.onAttempt({ ...failed, code: `Made${n}` });
  metrics.onAttempt({ ...failed, code: "NoSuchKey" });
  metrics.onAttempt({ ...failed, code: "Made7" });
  metrics.onAttempt({ ...failed, code: "not a name" });
  const { body } = await metrics.page();
  const series = body.split("\n").filter((line) => line.startsWith("bucketline_job_failures_total{"));
  expect(series).toHaveLength(102);
  expect(series).toContain('bucketline_job_failures_total{activity="head-object",code="other"} 901');
  expect(series).toContain('bucketline_job_failures_total{activity="head-object",code="NoSuchKey"} 1');
  expect(series).toContain('bucketline_job_failures_total{activity="head-object",code="Made7"} 2');
});
