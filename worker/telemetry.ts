import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { Telemetry } from "bullmq";
import type { RequestEvent } from "./s3/create-s3.ts";

/**
 * OpenTelemetry, for processes that register an SDK (`node --import ./tracing.js`): BullMQ's spans carry on the producer's trace,
 * and each request to the store becomes a span below the job's. Without a registered SDK every call here does nothing.
 */
export async function openTelemetry() {
  const { BullMQOtel } = await import("bullmq-otel");
  const tracer = trace.getTracer("bucketline");
  return {
    // bullmq-otel declares the same interface once more.
    bullmq: new BullMQOtel({ tracerName: "bucketline", meterName: "bucketline" }) as unknown as Telemetry,
    onRequest({ operation, status, path, durationMs, bucket, throttled }: RequestEvent): void {
      const end = Date.now();
      const span = tracer.startSpan(
        `S3 ${operation}`,
        {
          kind: SpanKind.CLIENT,
          startTime: end - durationMs,
          attributes: {
            "rpc.system": "aws-api",
            "rpc.method": operation,
            "bucketline.path": path,
            "bucketline.throttled": throttled,
            ...(status !== undefined && { "http.response.status_code": status }),
            ...(bucket !== undefined && { "aws.s3.bucket": bucket }),
          },
        },
        context.active(),
      );
      if (status === undefined || status >= 400) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(end);
    },
  };
}
