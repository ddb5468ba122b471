import { context, propagation, type Span, trace } from "@opentelemetry/api";
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import { afterAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { createProducer, type Producer } from "../producer/index.ts";
import { startDashboardHarness } from "./dashboard-harness.ts";
import { type Harness, startHarness } from "./harness.ts";

// What an app registers by `node --import ./tracing.js`. App, worker and dashboard share this process, and nothing but Redis carries a trace on.
const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
provider.register();
afterAll(async () => {
  await provider.shutdown();
  trace.disable();
  context.disable();
  propagation.disable();
});
beforeEach(() => exporter.reset());

async function start(): Promise<{ harness: Harness; producer: Producer }> {
  const harness = await startHarness({ env: { BUCKETLINE_TELEMETRY: "true" } });
  onTestFinished(() => harness.close());
  const { redis, prefix, documentsUrl } = harness.config;
  const producer = createProducer({ redis, prefix, documents: documentsUrl, telemetry: true });
  onTestFinished(() => producer.close());
  harness.sandbox.createBucket("in");
  harness.sandbox.createBucket("out");
  return { harness, producer };
}

/** Does something as a request of an app would, in a span of its own; tells its trace. */
async function asApp(work: () => Promise<unknown>): Promise<string> {
  return await trace.getTracer("app").startActiveSpan("app", async (span: Span) => {
    await work();
    span.end();
    return span.spanContext().traceId;
  });
}

/** The spans of a trace, each as its name under those of its parents, once so many have ended. */
async function spansOf(traceId: string, count: number): Promise<string[]> {
  const mine = (): ReadableSpan[] =>
    exporter.getFinishedSpans().filter((span) => span.spanContext().traceId === traceId);
  await expect.poll(() => mine().length, { timeout: 10_000 }).toBeGreaterThanOrEqual(count);
  const byId = new Map(mine().map((span) => [span.spanContext().spanId, span]));
  const path = (span: ReadableSpan | undefined): string =>
    span === undefined ? "" : `${path(byId.get(span.parentSpanContext?.spanId ?? ""))} > ${span.name}`;
  return mine()
    .map((span) => path(span).slice(3))
    .toSorted();
}

test("a job carries on the trace of the app that enqueued it, down to each request to the store", async () => {
  const { harness, producer } = await start();
  harness.sandbox.put("in", "a", "hello");
  const traceId = await asApp(() =>
    producer.run("copy-object", { object: { bucket: "in", key: "a" }, destination: { bucket: "out" } }),
  );
  const process = "app > add copy-object.copy-object > process copy-object";
  expect(await spansOf(traceId, 7)).toEqual([
    "app",
    "app > add copy-object.copy-object",
    process,
    `${process} > S3 CopyObject`,
    `${process} > S3 GetBucketOwnershipControls`,
    `${process} > S3 HeadObject`,
    `${process} > complete copy-object`,
  ]);
});

test("all chunks of a batch stand side by side in the trace in which it was started, with their requests", async () => {
  const { harness, producer } = await start();
  for (let index = 0; index < 2500; index++) harness.sandbox.put("in", `k${index}`, "x");
  const traceId = await asApp(async () => {
    const batch = await producer.batches.start({
      operation: "move",
      source: { bucket: "in" },
      destination: { bucket: "out" },
    });
    await batch.done();
  });
  // The app, the start, its opening and three chunks, with their requests.
  const paths = await spansOf(traceId, 6 + 2500 + 3);
  const requests = paths.filter((path) => path.endsWith("S3 CopyObject"));
  expect(requests).toHaveLength(2500);
  expect(new Set(requests)).toEqual(new Set(["app > addBulk batch-chunk > process batch-chunk > S3 CopyObject"]));
  expect(paths.filter((path) => path.endsWith("process batch-chunk")).length).toBeGreaterThanOrEqual(4);
  expect(paths.filter((path) => path.endsWith("process batch-chunk > S3 DeleteObjects")).length).toBeGreaterThanOrEqual(
    3,
  );
});

test("a request over HTTP carries on the trace that its headers name", async () => {
  const { harness } = await start();
  const { redis, prefix, documentsUrl } = harness.config;
  const dashboard = await startDashboardHarness({
    redis,
    prefix,
    documentsUrl,
    env: { BUCKETLINE_TELEMETRY: "true" },
  });
  onTestFinished(() => dashboard.close());
  const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
  const { status } = await dashboard.send("/api/activities/head-bucket/jobs", {
    method: "POST",
    headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
    body: { bucket: "in" },
  });
  expect(status).toBeLessThan(300);
  const add = "add head-bucket.head-bucket";
  expect(await spansOf(traceId, 4)).toEqual([
    add,
    `${add} > process head-bucket`,
    `${add} > process head-bucket > S3 HeadBucket`,
    `${add} > process head-bucket > complete head-bucket`,
  ]);
});

test("no result is in a trace, so that presigned URLs stay out of it", async () => {
  const { harness, producer } = await start();
  harness.sandbox.put("in", "a", "hello");
  const traceId = await asApp(async () => {
    const { url } = await producer.run("presign-object", {
      object: { bucket: "in", key: "a" },
      method: "get",
      expiresIn: 60,
    });
    expect(url).toContain("X-Amz-Signature");
  });
  await spansOf(traceId, 3);
  await expect
    .poll(() => exporter.getFinishedSpans().flatMap(({ events }) => events.map(({ name }) => name)))
    .toContain("job completed");
  const told = exporter.getFinishedSpans().map(({ name, attributes, events }) => ({ name, attributes, events }));
  expect(JSON.stringify(told)).not.toContain("X-Amz-Signature");
});

test("a schedule's jobs do not carry on the trace in which it was made", async () => {
  const { harness, producer } = await start();
  const traceId = await asApp(() => producer.schedule("often", { every: "1s" }, "head-bucket", { bucket: "in" }));
  onTestFinished(async () => void (await producer.schedules.remove("often")));
  const runs = (): ReadableSpan[] => exporter.getFinishedSpans().filter(({ name }) => name === "process head-bucket");
  await expect.poll(() => runs().length, { timeout: 10_000 }).toBeGreaterThanOrEqual(2);
  for (const run of runs()) expect(run.spanContext().traceId).not.toBe(traceId);
  expect(harness.sandbox.log.length).toBeGreaterThan(0);
});

test("without it, nothing is traced", async () => {
  const { harness } = await start();
  const { redis, prefix } = harness.config;
  const plain = createProducer({ redis, prefix });
  onTestFinished(() => plain.close());
  const traceId = await asApp(() => plain.run("head-bucket", { bucket: "in" }));
  expect(await spansOf(traceId, 1)).toEqual(["app"]);
});
