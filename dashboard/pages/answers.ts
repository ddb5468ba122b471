/** What the routes of the API return, as the pages know it: inferred from the schemas that the routes are declared with. */
import type { z } from "zod";
import type { AuditEntry } from "../../producer/audit/entry.ts";
import type { BatchSchema, BucketSchema, ReportRowSchema, VerbSchema } from "../api/batches/schemas.ts";
import type { JobErrorSchema, JobRowSchema, JobSchema, QuarantinedSchema } from "../api/job-schemas.ts";
import type { JobBucketSchema, OverviewSchema } from "../api/overview-schemas.ts";
import type { BulkSchema, FoundJobSchema, ProblemSchema } from "../api/problem-schemas.ts";
import type { AboutSchema, HeldDocumentSchema, ProfileSchema, ScheduleSchema } from "../api/page-schemas.ts";
import type { SessionSchema } from "../api/session-schemas.ts";

export type Act = z.infer<typeof AuditEntry>;
export type Session = z.infer<typeof SessionSchema>;
export type Overview = z.infer<typeof OverviewSchema>;
export type Queue = Overview["queues"][number];
export type WorkerView = Overview["workers"][number];
export type JobBucket = z.infer<typeof JobBucketSchema>;
export type JobRow = z.infer<typeof JobRowSchema>;
export type Job = z.infer<typeof JobSchema>;
export type ProblemView = z.infer<typeof ProblemSchema>;
export type ScheduleView = z.infer<typeof ScheduleSchema>;
export type ProfileView = z.infer<typeof ProfileSchema>;
export type HeldDocument = z.infer<typeof HeldDocumentSchema>;
export type About = z.infer<typeof AboutSchema>;
export type Bulk = z.infer<typeof BulkSchema>;
export type FoundJob = z.infer<typeof FoundJobSchema>;
export type JobError = z.infer<typeof JobErrorSchema>;
export type Quarantined = z.infer<typeof QuarantinedSchema>;
/** The spec is JSON of any form to a client in another language; here it is known what it holds. */
export type Batch = Omit<z.infer<typeof BatchSchema>, "spec"> & { readonly spec: BatchRequest };
/** What a batch can do. */
export type Verb = z.infer<typeof VerbSchema>;
export type BatchBucket = z.infer<typeof BucketSchema>;
export type ReportRow = z.infer<typeof ReportRowSchema>;

export type BatchSource = {
  readonly bucket?: string;
  readonly prefix?: string;
  readonly items?: readonly { readonly bucket: string; readonly key: string }[];
  readonly manifest?: { readonly name?: string };
  readonly format?: string;
};
export type BatchRequest = {
  readonly operation?: string;
  readonly source: BatchSource;
  readonly destination?: { readonly bucket: string; readonly prefix?: string };
  readonly label?: string;
  readonly maxObjectsPerSecond?: number;
  readonly [option: string]: unknown;
};

/** RFC 9457, with a code and the fields that were wrong. */
export type Problem = {
  readonly status: number;
  readonly title?: string;
  readonly detail?: string;
  readonly code?: string;
  readonly field?: string;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
};
