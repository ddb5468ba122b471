import closeWithGrace from "close-with-grace";
import { pino } from "pino";
import { ActivityError } from "../jobs/activity-error.ts";
import { describeConfig } from "./config-description.ts";
import { parseWorkerConfig } from "./config.ts";
import { createWorker } from "./create-worker.ts";

/** How much longer than its own shutdown timeout a worker may take before it is ended, in milliseconds. */
const MARGIN_MS = 5000;

try {
  const config = parseWorkerConfig(process.env);
  const log = pino({ level: config.logLevel });
  log.info({ config: describeConfig(config) }, "starting");
  const worker = await createWorker(config, { log });
  closeWithGrace({ delay: config.shutdownTimeoutMs + MARGIN_MS, logger: false }, async ({ signal, err }) => {
    if (err) log.fatal({ err }, "ending after an error that nobody caught");
    else log.info({ signal }, "stopping: running jobs may end first");
    await worker.close();
  });
} catch (error) {
  // Before there is a logger, or because it was told wrong: plain text for whoever starts the worker.
  process.stderr.write(`${error instanceof ActivityError ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
