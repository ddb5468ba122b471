import type { Command } from "commander";
import type { Environment } from "./environment.ts";

export type MakeCommand = (environment: Environment) => Command;

/** Each is loaded when it is asked for, so that none waits for what others need. */
export const COMMANDS: Readonly<Record<string, () => Promise<MakeCommand>>> = {
  ls: async () => (await import("./commands/buckets/ls.ts")).lsCommand,
  get: async () => (await import("./commands/objects/get.ts")).getCommand,
  put: async () => (await import("./commands/objects/put.ts")).putCommand,
  mb: async () => (await import("./commands/buckets/mb.ts")).mbCommand,
  rb: async () => (await import("./commands/buckets/rb.ts")).rbCommand,
  stat: async () => (await import("./commands/objects/stat.ts")).statCommand,
  du: async () => (await import("./commands/buckets/du.ts")).duCommand,
  presign: async () => (await import("./commands/objects/presign.ts")).presignCommand,
  schedules: async () => (await import("./commands/schedules.ts")).schedulesCommand,
  rm: async () => (await import("./commands/objects/rm.ts")).rmCommand,
  cp: async () => (await import("./commands/objects/cp.ts")).cpCommand,
  mv: async () => (await import("./commands/objects/mv.ts")).mvCommand,
  batch: async () => (await import("./commands/batch.ts")).batchCommand,
  completion: async () => (await import("./commands/completion.ts")).completionCommand,
  worker: async () => (await import("./commands/service/worker.ts")).workerCommand,
  dashboard: async () => (await import("./commands/service/dashboard.ts")).dashboardCommand,
  check: async () => (await import("./commands/service/check.ts")).checkCommand,
  conformance: async () => (await import("./commands/service/conformance.ts")).conformanceCommand,
  "seal-keys": async () => (await import("./commands/seal-keys.ts")).sealKeysCommand,
  sandbox: async () => (await import("./commands/service/sandbox.ts")).sandboxCommand,
  tour: async () => (await import("./commands/service/tour.ts")).tourCommand,
};

/** All of them, for help and for completion. */
export async function everyCommand(environment: Environment): Promise<readonly Command[]> {
  return Promise.all(Object.values(COMMANDS).map(async (load) => (await load())(environment)));
}
