import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { pino } from "pino";
import type { createDashboard, DashboardOptions } from "./index.ts";
import { redisUrl } from "../test/fixtures.ts";

const root = join(import.meta.dirname, "..");

export type Mounted = { readonly url: string; close(): Promise<void> };

/** A dashboard within an app, whose user may do everything; `url` is the app's. */
export async function mountDashboard(
  create: typeof createDashboard,
  options: Omit<DashboardOptions, "redis">,
): Promise<Mounted> {
  const dashboard = await create({
    redis: redisUrl(),
    log: pino({ level: "silent" }),
    identify: () => ({ name: "ada", role: "operator" }),
    ...options,
  });
  const server = createServer(dashboard.handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // it listens to a port
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      await dashboard.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The dashboard as it is published: of the build that `npm test` has made, else of one made for this. */
export async function fromBuild(): Promise<typeof createDashboard> {
  const made = process.env["BUILT_BEFORE_TESTS"];
  const dist = made ?? join(root, ".bucketline/built-for-tests"); // from where packages are found, this one, too
  if (made === undefined) await promisify(execFile)(process.execPath, ["scripts/build.js", dist], { cwd: root });
  const entry = pathToFileURL(join(dist, "dashboard/index.js")).href;
  return ((await import(entry)) as { createDashboard: typeof createDashboard }).createDashboard;
}
