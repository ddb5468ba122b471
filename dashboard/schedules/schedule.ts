import { z } from "zod";
import { parseJson } from "../job-views/job-fields.ts";
import { CHUNK_QUEUE } from "../../jobs/queues.ts";
import type { JobSchedulerJson } from "bullmq";

/** A schedule of jobs or of batches, and how its last run ended. */
export type ScheduleView = {
  readonly id: string;
  /** The queue it adds to: an activity, or that of batches. */
  readonly queue: string;
  readonly kind: "jobs" | "batches";
  /** Milliseconds. */
  readonly every?: number;
  readonly cron?: string;
  readonly timezone?: string;
  /** ISO 8601; of one that is not paused. */
  readonly next?: string;
  /** Since when a run is due that nobody began. */
  readonly missedSince?: string;
  readonly paused?: { readonly by: string; readonly at: string };
  readonly last?: { readonly at: string; readonly path: string; readonly state: string; readonly code?: string };
  /** Runs in a row that failed, and since when. */
  readonly failures: number;
  readonly failingSince?: string;
  /** Times that a batch was left out, because the one before was still at work. */
  readonly skipped: number;
  /** What each run asks for. Secrets are taken out. */
  readonly asks: unknown;
};

const Stored = z.looseObject({ key: z.string().max(512), next: z.number().max(8.64e15).optional() });

/** Whether it is a schedule, as far as anything here depends on it: another program may have written it. */
export const isStored = (stored: unknown): stored is JobSchedulerJson => Stored.safeParse(stored).success;

const Paused = z.object({
  stored: z.custom<JobSchedulerJson>(isStored),
  by: z.string().max(256),
  at: z.iso.datetime(),
});

/** What is kept of a paused one; undefined where there is none, or another hand wrote it. */
export const readPaused = (text: string | null | undefined): PausedSchedule | undefined =>
  Paused.safeParse(parseJson(text)).data;

/** What is kept of a paused schedule: all it takes to go on. */
export type PausedSchedule = {
  readonly stored: JobSchedulerJson;
  readonly by: string;
  readonly at: string;
};

export const kindOf = (queue: string): ScheduleView["kind"] => (queue === CHUNK_QUEUE ? "batches" : "jobs");
