import type { JobState } from "../job-views/job-fields.ts";

/** What is looked for. All that is given must hold. */
export type JobFilter = {
  /** Part of what the job was asked, such as of a key, or the beginning of its id. */
  readonly text?: string | undefined;
  readonly activities: readonly string[];
  readonly states: readonly JobState[];
  readonly code?: string | undefined;
  readonly bucket?: string | undefined;
  readonly profile?: string | undefined;
  /** ISO 8601, of when it ended. Where given, only ended jobs are found. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
};

export type FoundJob = { readonly activity: string; readonly id: string; readonly state: JobState };
