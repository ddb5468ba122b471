// oxlint-disable-next-line import/no-unassigned-import -- it ends what an old Node could not run, and exports nothing
import "./require-node.ts";
export { startSandbox } from "./start.ts";
export type { CreateBucketOptions, DirectAccess, ObjectView, PutOptions, Sandbox, UploadView } from "./interface.ts";
export { startSandboxProcess } from "./start-process.ts";
export type { SandboxControl, SandboxProcess } from "./start-process.ts";
export type {
  EnforcedConditions,
  KeyFolding,
  Quirks,
  SandboxCredential,
  SandboxOptions,
  SandboxRole,
} from "./options.ts";
export type { Fault, FaultKind, FaultOptions } from "./behaviour/faults.ts";
export type { GenerateOptions } from "./storage/generated-objects.ts";
export type { Hook, HookCall } from "./behaviour/hooks.ts";
export type { LogEntry } from "./http/operation-log.ts";
export type { Operation } from "./http/operation.ts";
export { startRedis } from "./start-redis.ts";
export type { RedisChoice, RedisServer, StartRedisOptions } from "./start-redis.ts";
