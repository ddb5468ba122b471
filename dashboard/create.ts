import { VERSION } from "../model/version.ts";
import { isIPv6 } from "node:net";
import type { FastifyInstance } from "fastify";
import { type Logger, pino } from "pino";
import { assemble } from "./assemble.ts";
import { checkExposure, type DashboardConfig, type DashboardSettings } from "./config.ts";
import { errorForLog } from "./error-for-log.ts";

/** A running dashboard. */
export type Dashboard = {
  readonly address: { readonly host: string; readonly port: number };
  /** For people. */
  readonly url: string;
  /** Ends event streams and requests under way, then every connection. */
  close(): Promise<void>;
};

/**
 * Starts the dashboard: pages, HTTP API, metrics. A Redis that does not answer is no reason not to start: the pages then say so.
 *
 * @throws ActivityError `LoginRequired` where it would be reachable from other machines without a login
 */
export async function createDashboard(
  config: DashboardSettings,
  options: { readonly log?: Logger } = {},
): Promise<Dashboard> {
  checkExposure(config);
  const given = options.log ?? pino({ level: config.logLevel });
  const log = given.child({}, { serializers: { err: (error: unknown) => errorForLog(error) } });
  const resources = new AsyncDisposableStack();
  try {
    const app = await assemble(config, log, resources);
    await app.listen({ host: config.host, port: config.port });
    const address = addressOf(app, config);
    log.info({ version: VERSION, url: address.url, readOnly: config.readOnly }, "the dashboard is open");
    return { ...address, close: () => resources.disposeAsync() };
  } catch (error) {
    await resources.disposeAsync();
    throw error;
  }
}

function addressOf(
  app: FastifyInstance,
  config: Pick<DashboardConfig, "host" | "port">,
): Pick<Dashboard, "address" | "url"> {
  const bound = app.server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : config.port;
  const shown = isIPv6(config.host) ? `[${config.host}]` : config.host;
  return { address: { host: config.host, port }, url: `http://${shown}:${port}/` };
}
