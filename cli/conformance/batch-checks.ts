import type { BatchSpecInput, BatchStatus } from "../../producer/index.ts";
import { type Check, expectContent, expectEqual, put, type Subject } from "./check.ts";

async function batch({ producer, signal }: Subject, spec: BatchSpecInput): Promise<BatchStatus> {
  const started = await producer.batches.start(spec);
  return await started.done({ signal });
}

function expectAll({ succeeded, failed, errors }: BatchStatus, objects: number): void {
  expectEqual({ succeeded, failed, errors }, { succeeded: objects, failed: 0, errors: {} }, "the batch's counts");
}

async function keysUnder({ run }: Subject, bucket: string, prefix: string): Promise<readonly string[]> {
  const { objects } = await run("list-objects", { bucket, prefix });
  return objects.map(({ key }) => key.slice(prefix.length)).toSorted();
}

/** They start from the odd keys that move-object left under `moved/`. */
export const batchChecks: readonly Check[] = [
  {
    activity: "batches",
    claim: "copies all under a prefix, odd keys included",
    proves: ["conditional-copy"],
    run: async (subject) => {
      const { odd, other, oddKeys } = subject;
      const source = { bucket: odd, prefix: "moved/" };
      const done = await batch(subject, {
        operation: "copy",
        source,
        destination: { bucket: other, prefix: "batch/" },
      });
      expectAll(done, oddKeys.length);
      expectEqual(await keysUnder(subject, other, "batch/"), oddKeys.toSorted(), "the keys");
    },
  },
  {
    activity: "batches",
    claim: "moves all under a prefix",
    proves: ["conditional-bulk-delete"],
    run: async (subject) => {
      const { odd, other, oddKeys } = subject;
      const source = { bucket: other, prefix: "batch/" };
      const done = await batch(subject, { operation: "move", source, destination: { bucket: odd, prefix: "again/" } });
      expectAll(done, oddKeys.length);
      expectEqual(await keysUnder(subject, other, "batch/"), [], "the keys at the source");
      expectEqual(await keysUnder(subject, odd, "again/"), oddKeys.toSorted(), "the keys at the destination");
      const key = `again/${oddKeys[2] ?? ""}`;
      await expectContent(subject, { bucket: odd, key }, `content of ${oddKeys[2] ?? ""}`);
    },
  },
  {
    activity: "batches",
    claim: "deletes all under a prefix",
    proves: ["bulk-delete"],
    run: async (subject) => {
      const { odd: bucket, oddKeys } = subject;
      expectAll(await batch(subject, { operation: "delete", source: { bucket, prefix: "again/" } }), oddKeys.length);
      expectEqual(await keysUnder(subject, bucket, "again/"), [], "the keys");
    },
  },
  {
    activity: "batches",
    claim: "keeps an object that is not the one that was named",
    proves: ["conditional-bulk-delete"],
    run: async (subject) => {
      const { bucket } = subject;
      const { etag: before, size } = await put(subject, "older", { bucket, key: "batch-guarded" });
      await put(subject, "newer", { bucket, key: "batch-guarded" });
      const items = [{ bucket, key: "batch-guarded", etag: before, size }];
      const { failed, errors } = await batch(subject, { operation: "delete", source: { items } });
      expectEqual({ failed, errors }, { failed: 1, errors: { SourceChanged: 1 } }, "the batch's counts");
      await expectContent(subject, { bucket, key: "batch-guarded" }, "newer");
    },
  },
];
