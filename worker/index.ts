// oxlint-disable-next-line import/no-unassigned-import -- it ends what an old Node could not run, and exports nothing
import "../model/require-node.ts";
export { createWorker } from "./create.ts";
export type { BucketlineWorker, WorkerOptions } from "./interface.ts";
export { describeConfig } from "./config/description.ts";
export { parseWorkerConfig, type WorkerConfig, type WorkerSettings } from "./config/parse.ts";
export type { RedisLocation } from "../redis/connection/client.ts";
export type { AttemptEvent } from "./attempt/process-job.ts";
export { generateSealKeys } from "../credentials/seal-keys.ts";
export { ActivityError } from "../model/activity-error.ts";
