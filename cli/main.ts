#!/usr/bin/env node
import { Command } from "commander";
import { ActivityError } from "../jobs/activity-error.ts";
import { conformanceCommand } from "./conformance.ts";
import type { Environment } from "./environment.ts";
import { sandboxCommand } from "./sandbox.ts";
import { tourCommand } from "./tour.ts";
import { workerCommand } from "./worker.ts";

const environment: Environment = { env: process.env, cwd: process.cwd(), terminal: process.stdout.isTTY };

const program = new Command("bucketline")
  .description("Jobs and batches for Amazon S3 and S3-compatible stores, through Redis.")
  .showHelpAfterError();
for (const command of [workerCommand, sandboxCommand, tourCommand, conformanceCommand])
  program.addCommand(command(environment));

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof ActivityError ? error.message : error);
  process.exitCode = 1;
}
