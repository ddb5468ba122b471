import { batchCopy } from "./benchmarks/batch-copy.ts";
import { batchLatency } from "./benchmarks/batch-latency.ts";
import type { Benchmark } from "./benchmark.ts";
import { clusterSlots } from "./benchmarks/cluster-slots.ts";
import { copyJobs } from "./benchmarks/copy-jobs.ts";
import { dashboard } from "./benchmarks/dashboard.ts";
import { headLatency } from "./benchmarks/head-latency.ts";
import { largeObjects } from "./benchmarks/large-objects.ts";
import { moveRequests } from "./benchmarks/move-requests.ts";
import { otherTools } from "./benchmarks/other-tools.ts";
import { parallelGet, parallelPut, streamCopy } from "./benchmarks/slow-lines.ts";
import { resume } from "./benchmarks/resume.ts";
import { scale } from "./benchmarks/scale.ts";
import { twoWorkers } from "./benchmarks/two-workers.ts";

/** In the order in which they run. */
export const benchmarks: readonly Benchmark[] = [
  headLatency,
  copyJobs,
  largeObjects,
  parallelGet,
  parallelPut,
  streamCopy,
  resume,
  batchCopy,
  moveRequests,
  batchLatency,
  twoWorkers,
  otherTools,
  clusterSlots,
  scale,
  dashboard,
];
