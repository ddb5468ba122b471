import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { type Telemetry, TelemetryAttributes } from "bullmq";
import type { RequestEvent } from "../../s3/create.ts";

/**
 * OpenTelemetry, for processes that register an SDK (`node --import ./tracing.js`): BullMQ's spans carry on the producer's trace,
 * and each request to the store becomes a span below the job's. Without a registered SDK every call here does nothing.
 */
export async function openTelemetry() {
  const { BullMQOtel } = await import("bullmq-otel");
  const tracer = trace.getTracer("bucketline");
  return {
    bullmq: withoutResults(new BullMQOtel({ tracerName: "bucketline" })),
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

/** BullMQ puts a job's whole result on an event of its span: presigned URLs, and listings of 16 KiB. Neither belongs into traces. */
function withoutResults({ tracer, ...rest }: Telemetry): Telemetry {
  return {
    ...rest,
    tracer: {
      startSpan(...begin) {
        const span = tracer.startSpan(...begin);
        const addEvent = span.addEvent.bind(span);
        span.addEvent = (name, { [TelemetryAttributes.JobResult]: _, ...attributes } = {}) =>
          addEvent(name, attributes);
        return span;
      },
    },
  };
}
