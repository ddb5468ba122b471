export { startSandbox } from "./start-sandbox.ts";
export type { CreateBucketOptions, ObjectView, PutOptions, Sandbox, UploadView } from "./start-sandbox.ts";
export type { EnforcedConditions, Quirks, SandboxCredential, SandboxOptions, SandboxRole } from "./options.ts";
export type { Fault, FaultKind, FaultOptions } from "./faults.ts";
export type { GenerateOptions } from "./generated-objects.ts";
export type { Hook, HookCall } from "./hooks.ts";
export type { LogEntry } from "./operation-log.ts";
export type { Operation } from "./operation.ts";
