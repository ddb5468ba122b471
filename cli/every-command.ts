import type { Command } from "commander";
import type { Environment } from "./environment.ts";

export type MakeCommand = (environment: Environment) => Command;

/** Each is loaded when it is asked for, so that none waits for what others need. */
export const COMMANDS: Readonly<Record<string, () => Promise<MakeCommand>>> = {
  ls: async () => (await import("./commands/ls.ts")).lsCommand,
  get: async () => (await import("./commands/get.ts")).getCommand,
  put: async () => (await import("./commands/put.ts")).putCommand,
  mb: async () => (await import("./commands/mb.ts")).mbCommand,
  rb: async () => (await import("./commands/rb.ts")).rbCommand,
  stat: async () => (await import("./commands/stat.ts")).statCommand,
  du: async () => (await import("./commands/du.ts")).duCommand,
  presign: async () => (await import("./commands/presign.ts")).presignCommand,
  schedules: async () => (await import("./commands/schedules.ts")).schedulesCommand,
  rm: async () => (await import("./commands/rm.ts")).rmCommand,
  cp: async () => (await import("./commands/cp.ts")).cpCommand,
  mv: async () => (await import("./commands/mv.ts")).mvCommand,
  batch: async () => (await import("./commands/batch.ts")).batchCommand,
  completion: async () => (await import("./commands/completion.ts")).completionCommand,
  worker: async () => (await import("./commands/worker.ts")).workerCommand,
  dashboard: async () => (await import("./commands/dashboard.ts")).dashboardCommand,
  check: async () => (await import("./commands/check.ts")).checkCommand,
  conformance: async () => (await import("./commands/conformance.ts")).conformanceCommand,
  "seal-keys": async () => (await import("./commands/seal-keys.ts")).sealKeysCommand,
  sandbox: async () => (await import("./commands/sandbox.ts")).sandboxCommand,
  tour: async () => (await import("./commands/tour.ts")).tourCommand,
};

/** All of them, for help and for completion. */
export async function everyCommand(environment: Environment): Promise<readonly Command[]> {
  return Promise.all(Object.values(COMMANDS).map(async (load) => (await load())(environment)));
}
