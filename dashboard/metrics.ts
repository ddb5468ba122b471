import type { FastifyInstance } from "fastify";
import { VERSION } from "../model/version.ts";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { DocumentStore } from "../documents/interface.ts";
import type { BatchTally } from "./watch/tally-batches.ts";
import type { EventStream } from "./watch/event-stream.ts";
import type { Overview } from "./watch/overview.ts";
import { keptFor } from "./watch/kept-for.ts";

export type MetricsDeps = {
  readonly overview: { read(): Promise<Overview> };
  readonly batches: { tally(): Promise<BatchTally> };
  readonly documents: () => Promise<DocumentStore>;
  readonly events: EventStream;
};

/** Counting documents walks the whole store. */
const USAGE_FRESH_MS = 60_000;
const BATCHES_FRESH_MS = 1000;

/**
 * Serves /metrics. What concerns queues is read once for all gauges and kept for a second, so that any number of scrapers costs Redis
 * one look. Where Redis does not answer, `bucketline_redis_up` is 0 and its gauges have no values: an old figure would lie.
 */
export function addMetrics(app: FastifyInstance, deps: MetricsDeps): void {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const collectQueues = queueGauges(registry);
  const collectBatches = batchGauges(registry);
  const collectDocuments = documentGauges(registry);
  const streams = new Gauge({
    name: "bucketline_dashboard_event_streams",
    help: "Event streams that are open",
    registers: [registry],
  });
  gauge(registry, "bucketline_build_info", "Always 1; its labels tell the versions of Bucketline and Node.", [
    "version",
    "node",
  ]).set({ version: VERSION, node: process.version }, 1);
  countRequests(app, registry);

  const tally = keptFor(BATCHES_FRESH_MS, () => deps.batches.tally());
  const usage = keptFor(USAGE_FRESH_MS, async () => (await deps.documents()).usage());
  app.get("/metrics", { config: { access: "view" } }, async (_request, reply) => {
    streams.set(deps.events.count());
    const [overview, batches, documents] = await Promise.allSettled([deps.overview.read(), tally(), usage()]);
    collectQueues(overview.status === "fulfilled" ? overview.value : undefined);
    collectBatches(batches.status === "fulfilled" ? batches.value : undefined);
    collectDocuments(documents.status === "fulfilled" ? documents.value : undefined);
    return reply.type(registry.contentType).send(await registry.metrics());
  });
}

function gauge(registry: Registry, name: string, help: string, labelNames: readonly string[] = []): Gauge {
  return new Gauge({ name, help, labelNames, registers: [registry] });
}

function queueGauges(registry: Registry): (overview: Overview | undefined) => void {
  const up = gauge(registry, "bucketline_redis_up", "Whether Redis answers");
  const jobs = gauge(
    registry,
    "bucketline_queue_jobs",
    "Jobs by activity and state; finished ones as long as they are kept",
    ["activity", "state"],
  );
  const oldest = gauge(
    registry,
    "bucketline_queue_oldest_job_age_seconds",
    "For how long the job that is next has been ready to run; 0 where none waits",
    ["activity"],
  );
  const paused = gauge(registry, "bucketline_queue_paused", "Whether the queue is paused", ["activity"]);
  const workers = gauge(registry, "bucketline_workers", "Workers alive, by activity that they take", ["activity"]);
  const running = gauge(registry, "bucketline_workers_running_jobs", "Jobs that workers work on");
  const quarantined = gauge(registry, "bucketline_quarantined_jobs", "Jobs that could not be read and were put aside");
  const memory = gauge(registry, "bucketline_redis_memory_bytes", "Memory that Redis uses");
  const limit = gauge(
    registry,
    "bucketline_redis_memory_limit_bytes",
    "Memory that Redis may use; 0 where there is no limit",
  );
  const safe = gauge(
    registry,
    "bucketline_redis_eviction_disabled",
    "Whether Redis never drops keys by itself, as queues need it",
  );

  return (overview) => {
    for (const each of [jobs, oldest, paused, workers, running, quarantined, memory, limit, safe]) each.reset();
    up.set(overview === undefined ? 0 : 1);
    if (overview === undefined) return;
    for (const queue of overview.queues) {
      const { name: activity } = queue;
      for (const state of ["waiting", "active", "delayed", "completed", "failed"] as const)
        jobs.set({ activity, state }, queue[state]);
      oldest.set({ activity }, (queue.oldestWaitingMs ?? 0) / 1000);
      paused.set({ activity }, queue.paused ? 1 : 0);
      workers.set({ activity }, overview.workers.filter(({ activities }) => activities.includes(activity)).length);
    }
    running.set(overview.workers.reduce((sum, worker) => sum + worker.running, 0));
    quarantined.set(overview.quarantined);
    memory.set(overview.redis.usedMemory);
    limit.set(overview.redis.maxMemory);
    safe.set(overview.redis.evictionPolicy === "noeviction" ? 1 : 0);
  };
}

function batchGauges(registry: Registry): (tally: BatchTally | undefined) => void {
  const batches = gauge(registry, "bucketline_active_batches", "Batches that have not come to rest, by state", [
    "state",
  ]);
  const objects = gauge(
    registry,
    "bucketline_active_batch_objects",
    "Objects of batches that have not come to rest, by what became of them",
    ["outcome"],
  );
  const ended = new Counter({
    name: "bucketline_batches_ended_total",
    help: "Batches that ended, by state",
    labelNames: ["state"],
    registers: [registry],
  });
  return (tally) => {
    batches.reset();
    objects.reset();
    ended.reset();
    for (const state of ["completed", "failed", "cancelled"])
      if (tally !== undefined) ended.inc({ state }, tally.ended[state] ?? 0);
    for (const state of ["running", "pausing", "paused", "cancelling", "failing"])
      if (tally !== undefined) batches.set({ state }, tally.states[state] ?? 0);
    for (const [outcome, count] of Object.entries(tally?.objects ?? {})) objects.set({ outcome }, count);
  };
}

function documentGauges(
  registry: Registry,
): (usage: { readonly documents: number; readonly bytes: number } | undefined) => void {
  const documents = gauge(registry, "bucketline_documents", "Documents in the store");
  const bytes = gauge(registry, "bucketline_documents_bytes", "Bytes in the document store");
  return (usage) => {
    documents.reset();
    bytes.reset();
    if (usage === undefined) return;
    documents.set(usage.documents);
    bytes.set(usage.bytes);
  };
}

function countRequests(app: FastifyInstance, registry: Registry): void {
  const labelNames = ["method", "route", "status"];
  const requests = new Counter({
    name: "bucketline_dashboard_http_requests_total",
    help: "Requests answered, by route",
    labelNames,
    registers: [registry],
  });
  const seconds = new Histogram({
    name: "bucketline_dashboard_http_request_duration_seconds",
    help: "How long answers took, by route",
    labelNames: ["method", "route"],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60],
    registers: [registry],
  });
  app.addHook("onResponse", async (request, reply) => {
    // The pattern and not the address: ids and keys would make a series each.
    const route = request.routeOptions.url ?? "none";
    const { method } = request;
    requests.inc({ method, route, status: String(reply.statusCode) });
    seconds.observe({ method, route }, reply.elapsedTime / 1000);
  });
}
