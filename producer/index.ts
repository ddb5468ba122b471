// oxlint-disable-next-line import/no-unassigned-import -- it ends what an old Node could not run, and exports nothing
import "../model/require-node.ts";
export * from "../jobs/contracts.ts";
export type { SteerOptions } from "../batches/handle.ts";
export type { BatchProgress, WatchOptions } from "../batches/report/progress.ts";
export type { ReportOptions } from "../batches/report/read-rows.ts";
export type { ReportRow } from "../batches/report/row.ts";
export type { BatchPlan } from "../batches/state/status.ts";
export type { DocumentSource, DocumentStore, ReadOptions, WriteOptions } from "../documents/interface.ts";
export type {
  Batches,
  BatchHandle,
  BatchPage,
  BatchSchedule,
  BatchScheduleOptions,
  BatchSpecInput,
  BatchState,
  BatchStatus,
  ListOptions as ListBatchesOptions,
  StartOptions as StartBatchOptions,
} from "./batches.ts";
export { createProducer, type EnqueueManyOptions, type Producer } from "./create.ts";
export type { ProducerOptions } from "./options.ts";
export type { ActOptions } from "./audit/recorder.ts";
export type { Documents, DocumentsLocation } from "./documents.ts";
export type { JobHandle, JobState } from "./jobs/handle.ts";
export type { JobProgress } from "./jobs/progress.ts";
export type { EnqueueOptions, TemplateOptions } from "./jobs/options.ts";
export type { WaitOptions } from "./jobs/waits.ts";
export type { RedisLocation } from "../redis/connection/client.ts";
export type { Schedule, ScheduleRule, Schedules } from "./schedules.ts";
export { type CredentialsToSeal, sealCredentials, sealCustomerKey } from "./seal-credentials.ts";
