import { batchCopy } from "./batch-copy.ts";
import type { Benchmark } from "./benchmark.ts";
import { copyJobs } from "./copy-jobs.ts";
import { headLatency } from "./head-latency.ts";

/** In the order in which they run. */
export const benchmarks: readonly Benchmark[] = [headLatency, copyJobs, batchCopy];
