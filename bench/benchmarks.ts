import { batchCopy } from "./batch-copy.ts";
import { batchLatency } from "./batch-latency.ts";
import type { Benchmark } from "./benchmark.ts";
import { copyJobs } from "./copy-jobs.ts";
import { headLatency } from "./head-latency.ts";
import { largeObjects } from "./large-objects.ts";
import { moveRequests } from "./move-requests.ts";
import { otherTools } from "./other-tools.ts";
import { scale } from "./scale.ts";
import { twoWorkers } from "./two-workers.ts";

/** In the order in which they run. */
export const benchmarks: readonly Benchmark[] = [
  headLatency,
  copyJobs,
  largeObjects,
  batchCopy,
  moveRequests,
  batchLatency,
  twoWorkers,
  otherTools,
  scale,
];
