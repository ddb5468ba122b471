import type { BatchHandle, BatchSpecInput } from "../../producer/index.ts";
import type { BatchOptions } from "./options.ts";
import { note } from "../output/say.ts";
import { jsonLine } from "../output/printable.ts";
import type { Session } from "../session.ts";
import { watchBatch } from "./watch.ts";

/** Starts a batch and, unless told otherwise, shows its progress to the end. */
export async function startBatch(open: Session, spec: BatchSpecInput, options: BatchOptions): Promise<void> {
  const { producer } = open;
  const handle: BatchHandle = await producer.batches.start(
    spec,
    options.idempotencyKey === undefined ? {} : { idempotencyKey: options.idempotencyKey },
  );
  if (options.detach) {
    console.log(options.json ? jsonLine({ id: handle.id }) : handle.id);
    return;
  }
  note(`batch ${handle.id}`);
  await watchBatch(open, handle, options);
}
