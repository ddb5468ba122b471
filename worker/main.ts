// oxlint-disable-next-line import/no-unassigned-import -- it ends what an old Node could not run, and exports nothing
import "../model/exit-on-old-node.ts";
import closeWithGrace, { type Options } from "close-with-grace";
import { pino } from "pino";
import { ActivityError } from "../model/activity-error.ts";
import { assureHome } from "../model/process/assure-home.ts";
import { endWithParent } from "../model/process/end-with-parent.ts";
import { VERSION } from "../model/version.ts";
import { watchEventLoop } from "../model/process/watch-event-loop.ts";
import { withoutCommand } from "../redis/connection/without-command.ts";
import { boundHeap } from "./bound-heap.ts";
import { describeConfig } from "./config/description.ts";
import { readWorkerConfig } from "./config/read.ts";
import { createWorker } from "./create.ts";

/** How much longer than its own shutdown timeout a worker may take before it is ended, in milliseconds. */
const MARGIN_MS = 5000;

/** Wherever an error comes from: ioredis hangs passwords and the arguments of scripts on its own. */
const errorForLog = (error: Error) => pino.stdSerializers.err(withoutCommand(error));

const stopping = new AbortController();
boundHeap(process);
endWithParent({ npmCommand: process.env["npm_command"] });
assureHome(process.env);

try {
  const config = await readWorkerConfig(process.env);
  const log = pino({ level: config.logLevel, serializers: { err: errorForLog } });
  watchEventLoop({
    onRecovered: (blockedMs) => log.error({ blockedMs }, "the event loop was blocked, and turns again"),
  });
  log.info({ version: VERSION, node: process.version, config: describeConfig(config) }, "starting");
  const starting = createWorker(config, { log, signal: stopping.signal, ownProcess: true });
  // From the first moment: a worker that still waits for Redis must end when it is told to.
  // Not with an empty event loop: that is a start that failed, whose exit code would become 0.
  const options: Options = { delay: config.shutdownTimeoutMs + MARGIN_MS, logger: false, skip: ["beforeExit"] };
  closeWithGrace(options, async ({ signal, err }) => {
    if (err) log.fatal({ err }, "ending after an error that nobody caught");
    else log.info({ signal }, "stopping: running jobs may end first");
    stopping.abort(new ActivityError("WorkerShutdown", "the worker was stopped before it took jobs"));
    await starting.then(
      (worker) => worker.close(),
      () => undefined, // it never took jobs; told below
    );
  });
  await starting;
} catch (error) {
  // Before there is a logger, or because it was told wrong: plain text for whoever starts the worker.
  process.stderr.write(`${error instanceof ActivityError ? error.message : String(error)}\n`);
  process.exitCode = stopping.signal.aborted ? 0 : 1;
}
