import { Command } from "commander";
import type { Environment } from "../../environment.ts";

/** `bucketline worker`: the same as `npm run worker`, configured by the environment alone. */
export function workerCommand(_environment: Environment): Command {
  return new Command("worker")
    .description("start a worker; its configuration is the environment (docs/configuration.md)")
    .addHelpText(
      "after",
      `
Examples:
  1. REDIS_URL=redis://127.0.0.1:6379 bucketline worker
  2. BUCKETLINE_ACTIVITIES=list-objects,get-object BUCKETLINE_CONCURRENCY=8 bucketline worker
  3. BUCKETLINE_PROFILES=profiles.json DOCUMENTS_URL=s3://documents/jobs?profile=default bucketline worker`,
    )
    .action(async () => {
      await import("../../../worker/main.ts");
    });
}
