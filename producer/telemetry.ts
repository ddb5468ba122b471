import type { Telemetry } from "bullmq";

/** BullMQ's spans and the trace that jobs carry on, through the OpenTelemetry SDK that the process registered; without one, nothing. */
export async function openTelemetry(): Promise<Telemetry> {
  const { BullMQOtel } = await import("bullmq-otel");
  return new BullMQOtel({ tracerName: "bucketline" });
}
