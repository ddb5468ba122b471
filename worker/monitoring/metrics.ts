import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { CountedChunk } from "../../batches/run/work.ts";
import { explainCode } from "../../model/error-codes.ts";
import { VERSION } from "../../model/version.ts";
import type { AttemptEvent } from "../attempt/process-job.ts";
import type { RequestEvent } from "../../s3/create.ts";

/** From a HEAD on a near store to a copy of terabytes, in seconds. */
const ATTEMPT_BUCKETS = [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300, 1800, 7200];
const REQUEST_BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30];

type Registers = Registry[];

/** What a worker counts, in Prometheus' terms; served on `/metrics` beside the probes. */
export function createMetrics(running: () => number) {
  const registry = new Registry();
  const registers = [registry];
  addProcess(registry);
  const { attempts, failures, durations } = attemptMetrics(registers);
  const { seriesOf, bytes, throttles } = requestMetrics(registers);
  const { objects, batchBytes } = batchMetrics(registers);
  const labelled = boundLabels();
  addRunning(registry, running);
  return {
    onAttempt({ activity, outcome, code, durationMs }: AttemptEvent): void {
      attempts.inc({ activity, outcome });
      durations.observe({ activity, outcome }, durationMs / 1000);
      if (code !== undefined) failures.inc({ activity, code: labelled(code) });
    },
    onRequest({ operation, status, path, durationMs, bytes: moved, throttled }: RequestEvent): void {
      const { count, duration } = seriesOf(operation, String(status ?? "none"), path);
      count.inc();
      duration.observe(durationMs / 1000);
      if (moved !== undefined) bytes.inc({ operation }, moved);
      if (throttled) throttles.inc({ operation });
    },
    onChunk({ operation, bytes: moved, ...outcomes }: CountedChunk): void {
      for (const [outcome, count] of Object.entries(outcomes)) objects.inc({ operation, outcome }, count);
      batchBytes.inc({ operation }, moved);
    },
    page: async () => ({ type: registry.contentType, body: await registry.metrics() }),
  };
}

function addProcess(registry: Registry): void {
  collectDefaultMetrics({ register: registry, prefix: "bucketline_worker_" });
  // Gauges named like counters, which promtool warns of; the ones by type remain.
  for (const name of ["handles", "requests", "resources"])
    registry.removeSingleMetric(`bucketline_worker_nodejs_active_${name}_total`);
}

function attemptMetrics(registers: Registers) {
  const attempts = new Counter({
    name: "bucketline_job_attempts_total",
    help: "Attempts by activity and outcome: completed, retry, later (throttled), hand-over, fail.",
    labelNames: ["activity", "outcome"],
    registers,
  });
  const failures = new Counter({
    name: "bucketline_job_failures_total",
    help: "Attempts that did not complete, by activity and error code.",
    labelNames: ["activity", "code"],
    registers,
  });
  const durations = new Histogram({
    name: "bucketline_job_attempt_duration_seconds",
    help: "How long an attempt took.",
    labelNames: ["activity", "outcome"],
    buckets: ATTEMPT_BUCKETS,
    registers,
  });
  return { attempts, failures, durations };
}

function requestMetrics(registers: Registers) {
  const requests = new Counter({
    name: "bucketline_s3_requests_total",
    help: "Requests to the store by operation, HTTP status (none: no answer came) and path (fast, sdk).",
    labelNames: ["operation", "status", "path"],
    registers,
  });
  const requestDurations = new Histogram({
    name: "bucketline_s3_request_duration_seconds",
    help: "How long the store took to answer.",
    labelNames: ["operation", "path"],
    buckets: REQUEST_BUCKETS,
    registers,
  });
  const bytes = new Counter({
    name: "bucketline_s3_bytes_total",
    help: "Bytes of content moved by requests, by operation.",
    labelNames: ["operation"],
    registers,
  });
  const throttles = new Counter({
    name: "bucketline_s3_throttles_total",
    help: "Answers by which the store asked to slow down, by operation.",
    labelNames: ["operation"],
    registers,
  });
  // Told for every request: finding a series by its labels costs more than counting does. There are some hundred of them.
  const series = new Map<string, ReturnType<typeof makeSeries>>();
  const makeSeries = (operation: string, status: string, path: string) => ({
    count: requests.labels({ operation, status, path }),
    duration: requestDurations.labels({ operation, path }),
  });
  const seriesOf = (operation: string, status: string, path: string) => {
    const name = `${operation} ${status} ${path}`;
    const known = series.get(name) ?? makeSeries(operation, status, path);
    series.set(name, known);
    return known;
  };
  return { seriesOf, bytes, throttles };
}

function batchMetrics(registers: Registers) {
  const objects = new Counter({
    name: "bucketline_batch_objects_total",
    help: "Objects of batches that this worker brought to their end, by operation and outcome.",
    labelNames: ["operation", "outcome"],
    registers,
  });
  const batchBytes = new Counter({
    name: "bucketline_batch_bytes_total",
    help: "Bytes of objects of batches that succeeded, by operation.",
    labelNames: ["operation"],
    registers,
  });
  return { objects, batchBytes };
}

function addRunning(registry: Registry, running: () => number): void {
  const active = new Gauge({
    name: "bucketline_jobs_running",
    help: "Attempts that run in this worker now.",
    registers: [registry],
    collect() {
      this.set(running());
    },
  });
  registry.registerMetric(active);
  const build = new Gauge({
    name: "bucketline_build_info",
    help: "Always 1; its labels tell the versions of Bucketline and Node.",
    labelNames: ["version", "node"],
    registers: [registry],
  });
  build.set({ version: VERSION, node: process.version }, 1);
}

/** Codes of stores that are told apart. */
const MOST_FOREIGN = 100;

/** A store may answer with any text as a code, and with another one each time: neither a label nor their number may grow without bound. */
function boundLabels(): (code: string) => string {
  const foreign = new Set<string>();
  return (code) => {
    if (explainCode(code) !== undefined || foreign.has(code)) return code;
    if (foreign.size >= MOST_FOREIGN || !/^[A-Za-z][A-Za-z0-9]{0,63}$/.test(code)) return "other";
    foreign.add(code);
    return code;
  };
}
