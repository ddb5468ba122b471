import type { Queue } from "bullmq";
import { chunkName } from "./keys.ts";
import type { WantedJobs } from "./looks.ts";

/** What a job of the chunk queue asks for. */
export type BatchJobData =
  | { readonly kind: "open"; readonly batch: string }
  | { readonly kind: "feed"; readonly batch: string }
  | { readonly kind: "chunk"; readonly batch: string; readonly chain: number; readonly n: number }
  /** A schedule is due. */
  | { readonly kind: "due"; readonly schedule: string; readonly spec: unknown; readonly overlap: "skip" | "queue" }
  /** The run of a schedule waits for its turn. */
  | {
      readonly kind: "turn";
      readonly batch: string;
      readonly schedule: string;
      readonly spec: unknown;
      readonly overlap: "skip" | "queue";
    };

export type BatchJob = { readonly id: string; readonly data: BatchJobData; readonly priority: number };

/** The queue of chunks, as far as batches need it. */
export type BatchQueue = {
  /** A job that exists already stays as it is. */
  add(jobs: readonly BatchJob[]): Promise<void>;
  /** Gives waiting jobs the priority that they are named with; others keep theirs. */
  setPriority(jobs: readonly BatchJob[]): Promise<void>;
  /** Of jobs that have ended. */
  remove(ids: readonly string[]): Promise<void>;
};

export const openJobId = (batch: string): string => `b-${batch}-open`;
export const feedJobId = (batch: string): string => `b-${batch}-feed`;
export const turnJobId = (batch: string): string => `b-${batch}-turn`;
export const chunkJobId = (batch: string, name: string): string => `b-${batch}-${name}`;

/** The batch that a job of the chunk queue belongs to. */
export const batchOfJob = (jobId: string): string | undefined => /^b-([a-z0-9]+)-/.exec(jobId)?.[1];

/** BullMQ's priorities between two of ours. */
const FAIR_STEPS = 1000;

/**
 * Inside one priority a batch's first job goes before the further ones of others, so that a small batch is not stuck behind a huge one; it has
 * that once. All others go in the order they came, also those that make room and come back: nobody can be passed for ever.
 */
export function fairPriority(priority: number, isFirst: boolean): number {
  return priority * FAIR_STEPS + (isFirst ? 0 : 1);
}

export function chunkJob(batch: string, chunk: { chain: number; n: number }, priority: number): BatchJob {
  return { id: chunkJobId(batch, chunkName(chunk.chain, chunk.n)), data: { kind: "chunk", batch, ...chunk }, priority };
}

/** The jobs that a batch must have. */
export function wantedBatchJobs(batch: string, wanted: WantedJobs): BatchJob[] {
  const { state, opened, feed, chunks, nexts } = wanted;
  const [first, further] = [fairPriority(wanted.priority, true), fairPriority(wanted.priority, false)];
  const jobs = chunks.map((name) => {
    const [chain = 0, n = 0] = name.split("-").map(Number);
    return chunkJob(batch, { chain, n }, further);
  });
  if (state !== "running") return state === "pausing" || state === "cancelling" || state === "failing" ? jobs : [];
  if (!opened) jobs.push({ id: openJobId(batch), data: { kind: "open", batch }, priority: first });
  else if (feed && nexts.length > 0)
    jobs.push({ id: feedJobId(batch), data: { kind: "feed", batch }, priority: nexts[0]?.n === 0 ? first : further });
  else for (const next of nexts) jobs.push(chunkJob(batch, next, next.chain === 0 && next.n === 0 ? first : further));
  return jobs;
}

/** Batches keep their own record of chunks, so the jobs leave nothing behind; a failed one is added anew by the watchdog. */
export const BATCH_JOB_OPTIONS = {
  removeOnComplete: true,
  removeOnFail: true,
  attempts: 1,
  stackTraceLimit: 1,
} as const;

/** @param trace the trace that the added jobs carry on, where it is not the queue's own to tell */
export function createBatchQueue(queue: Queue, trace?: () => string | undefined): BatchQueue {
  return {
    async add(jobs) {
      if (jobs.length === 0) return;
      const metadata = trace?.();
      const options = { ...BATCH_JOB_OPTIONS, ...(metadata !== undefined && { telemetry: { metadata } }) };
      await queue.addBulk(
        jobs.map(({ id, data, priority }) => ({ name: data.kind, data, opts: { ...options, jobId: id, priority } })),
      );
    },
    async remove(ids) {
      for (const id of ids) await queue.remove(id);
    },
    async setPriority(jobs) {
      for (const { id, priority } of jobs) {
        const job = await queue.getJob(id);
        await job?.changePriority({ priority });
      }
    },
  };
}
