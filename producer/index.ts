// oxlint-disable-next-line import/no-unassigned-import -- it ends what an old Node could not run, and exports nothing
import "../model/require-node.ts";
export * from "../jobs/contracts.ts";
export type { DocumentSource, DocumentStore, ReadOptions, WriteOptions } from "../documents/document-store.ts";
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
export { createProducer, type EnqueueManyOptions, type Producer, type ProducerOptions } from "./create-producer.ts";
export type { Documents, DocumentsLocation } from "./documents.ts";
export type { JobHandle, JobState } from "./job-handle.ts";
export type { JobProgress } from "./job-progress.ts";
export type { EnqueueOptions, TemplateOptions } from "./job-options.ts";
export type { WaitOptions } from "./job-waits.ts";
export type { RedisLocation } from "../redis/client.ts";
export type { Schedule, ScheduleRule, Schedules } from "./schedules.ts";
export { type CredentialsToSeal, sealCredentials } from "./seal-credentials.ts";
