import type { BatchHandle } from "../../batches/handle.ts";
import type { BatchSpecInput } from "../../batches/spec/request.ts";
import type { Recorder } from "./recorder.ts";

/** A batch whose steering is written down. */
export function recordedBatch(handle: BatchHandle, record: Recorder): BatchHandle {
  const target = { kind: "batch", id: handle.id };
  const steered =
    <Result>(verb: "pause" | "resume" | "cancel" | "confirm", run: () => Promise<Result>) =>
    async ({ reason }: { readonly reason?: string | undefined } = {}): Promise<Result> => {
      const result = await run();
      await record({ action: `batch.${verb}`, target, reason });
      return result;
    };
  return {
    ...handle,
    pause: steered("pause", handle.pause),
    resume: steered("resume", handle.resume),
    cancel: steered("cancel", handle.cancel),
    confirm: steered("confirm", handle.confirm),
    async setPriority(priority) {
      await handle.setPriority(priority);
      await record({ action: "batch.priority", target, detail: `priority ${priority}` });
    },
    async setRate(rate, { reason } = {}) {
      await handle.setRate(rate);
      await record({ action: "batch.rate", target, reason, detail: rate === undefined ? "no limit" : `${rate}/s` });
    },
    async retryFailed(options) {
      const started = await handle.retryFailed(options);
      await record({ action: "batch.retry-failed", target, detail: `as batch ${started.id}` });
      return started;
    },
  };
}

/** What a batch does, in a few words. */
export function batchWords({ operation, source, destination, dryRun }: BatchSpecInput): string {
  const from =
    "items" in source
      ? `${source.items.length} objects`
      : "manifest" in source
        ? `manifest ${source.manifest.name}`
        : `s3://${source.bucket}/${source.prefix ?? ""}`;
  const to = destination === undefined ? "" : ` to s3://${destination.bucket}/${destination.prefix ?? ""}`;
  return `${dryRun ? "plan: " : ""}${operation} ${from}${to}`;
}
