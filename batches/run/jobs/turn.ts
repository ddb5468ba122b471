import { createHash } from "node:crypto";
import { parseBatchSpec } from "../../spec/request.ts";
import { newBatch } from "../../state/create.ts";
import { healBatch } from "../../state/heal.ts";
import { type BatchJobData, fairPriority, turnJobId } from "../../state/queue.ts";
import { type Again, TAKEN_MS, type Tools } from "./tools.ts";

/** Runs of one schedule that wait at once; more are skipped, or a schedule faster than its batches would pile them up for ever. */
const MAX_WAITING_TURNS = 100;

/** The scheduler's own job must not wait, as BullMQ makes the next one from it; so a job of its own does. */
export async function makeTurn(
  { deps }: Tools,
  { schedule, spec, overlap }: Extract<BatchJobData, { kind: "due" }>,
  jobId: string,
): Promise<Again> {
  // Named after the run of the schedule, so that a second delivery of the job starts no second batch.
  const batch = `s${createHash("sha256").update(`${deps.prefix}\n${jobId}`).digest("hex").slice(0, 23)}`;
  const data = { kind: "turn", batch, schedule, spec, overlap } as const;
  await deps.queue.add([{ id: turnJobId(batch), data, priority: fairPriority(1, true) }]);
  return undefined;
}

/** Starts the batch of a schedule's run, once the one before it has ended where they are to queue. */
export async function takeTurn(
  { deps, store }: Tools,
  { batch, schedule, spec, overlap }: Extract<BatchJobData, { kind: "turn" }>,
): Promise<Again> {
  const request = newBatch({ id: batch, spec: parseBatchSpec(spec) });
  const turn = await store.takeTurn({ schedule, overlap, maxWaiting: MAX_WAITING_TURNS }, request);
  if (turn === "wait") return { inMs: TAKEN_MS };
  if (turn === "skip") return undefined;
  await healBatch(store, deps.queue, batch);
  return undefined;
}
