#!/usr/bin/env node
import { Command } from "commander";
import { batchCommand } from "./batch.ts";
import { checkCommand } from "./check.ts";
import { conformanceCommand } from "./conformance.ts";
import { cpCommand } from "./cp.ts";
import { dashboardCommand } from "./dashboard.ts";
import type { Environment } from "./environment.ts";
import { getCommand } from "./get.ts";
import { lsCommand } from "./ls.ts";
import { mvCommand } from "./mv.ts";
import { printableLines } from "./printable.ts";
import { putCommand } from "./put.ts";
import { rmCommand } from "./rm.ts";
import { sandboxCommand } from "./sandbox.ts";
import { sealKeysCommand } from "./seal-keys.ts";
import { tourCommand } from "./tour.ts";
import { EXIT, exitOnUsageErrors } from "./usage-exit.ts";
import { workerCommand } from "./worker.ts";

const environment: Environment = { env: process.env, cwd: process.cwd(), terminal: process.stdout.isTTY };

const commands = [
  [lsCommand, getCommand, putCommand, rmCommand, cpCommand, mvCommand, batchCommand],
  [workerCommand, dashboardCommand, checkCommand, conformanceCommand, sealKeysCommand, sandboxCommand, tourCommand],
].flat();

const program = new Command("bucketline")
  .description("Jobs and batches for Amazon S3 and S3-compatible stores, through Redis.")
  .showHelpAfterError("(try --help)");
for (const command of commands) program.addCommand(command(environment));
exitOnUsageErrors(program);

try {
  await program.parseAsync();
} catch (error) {
  console.error(printableLines(error instanceof Error ? error.message : String(error)));
  process.exitCode = EXIT.problem;
}
