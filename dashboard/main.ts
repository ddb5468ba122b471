// oxlint-disable-next-line import/no-unassigned-import -- it ends what an old Node could not run, and exports nothing
import "../model/exit-on-old-node.ts";
// oxlint-disable-next-line import/no-unassigned-import -- it sets how V8 keeps its heap, and exports nothing
import "./prefer-memory.ts";
import closeWithGrace from "close-with-grace";
import { pino } from "pino";
import { ActivityError } from "../model/activity-error.ts";
import { assureHome } from "../model/process/assure-home.ts";
import { endWithParent } from "../model/process/end-with-parent.ts";
import { watchEventLoop } from "../model/process/watch-event-loop.ts";
import { parseDashboardConfig } from "./config.ts";
import { createDashboard } from "./create.ts";
import { errorForLog } from "./error-for-log.ts";

endWithParent({ npmCommand: process.env["npm_command"] });
assureHome(process.env);

try {
  const config = parseDashboardConfig(process.env);
  const log = pino({ level: config.logLevel, serializers: { err: (error: unknown) => errorForLog(error) } });
  watchEventLoop({
    onRecovered: (blockedMs) => log.error({ blockedMs }, "the event loop was blocked, and turns again"),
  });
  const dashboard = await createDashboard(config, { log });
  closeWithGrace({ delay: 10_000, logger: false }, async ({ signal, err }) => {
    if (err) log.fatal({ err }, "ending after an error that nobody caught");
    else log.info({ signal }, "closing");
    await dashboard.close();
  });
} catch (error) {
  // Before there is a logger, or because it was told wrong: plain text for whoever starts the dashboard.
  process.stderr.write(`${error instanceof ActivityError ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
