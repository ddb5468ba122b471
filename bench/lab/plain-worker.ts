import { Queue } from "bullmq";
import type { Lab } from "./open.ts";
import { startSibling } from "./sibling.ts";

/** A job of the worker in plain-worker-process.ts. */
export type PlainJob =
  | { readonly what: "nothing" }
  | { readonly what: "head"; readonly bucket: string; readonly key: string }
  | {
      readonly what: "copy";
      readonly bucket: string;
      readonly key: string;
      readonly destination: { readonly bucket: string; readonly key: string };
    };

export type PlainWorker = { readonly pid: number; readonly queue: Queue<PlainJob> };

/** Starts the hand-written worker and a queue to it; the lab closes both. */
export async function startPlainWorker(
  { redis, address, stack, connect }: Pick<Lab, "redis" | "address" | "stack" | "connect">,
  { concurrency }: { readonly concurrency: number },
): Promise<PlainWorker> {
  const name = "plain";
  const worker = await startSibling("../processes/plain-worker.ts", {
    redis,
    queue: name,
    concurrency,
    store: address,
  });
  stack.defer(() => worker.stop());
  const queue = new Queue<PlainJob>(name, { connection: connect() });
  stack.defer(() => queue.close());
  return { pid: worker.pid, queue };
}

/** Jobs that copy objects from bucket `in` below a prefix of bucket `out`. */
export function plainCopies(keys: readonly string[], prefix: string): { name: string; data: PlainJob }[] {
  return keys.map((key) => ({
    name: "copy",
    data: { what: "copy", bucket: "in", key, destination: { bucket: "out", key: prefix + key } },
  }));
}
