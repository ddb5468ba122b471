import { createServer, type Server } from "node:http";
import { once } from "node:events";
import { ActivityError } from "../../model/activity-error.ts";

/** Probes ask for little and say so at once: whoever opens connections and says nothing holds none for long. In milliseconds. */
const PATIENCE = {
  headersTimeout: 5000,
  requestTimeout: 5000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 1000,
};
const MAX_CONNECTIONS = 256;

export type Health = {
  /** The process works: answers `/livez`. */
  readonly live: () => boolean;
  /** It may be given work: answers `/readyz`. */
  readonly ready: () => { readonly ready: boolean; readonly checks: Readonly<Record<string, boolean>> };
  /** More pages by path, `/metrics` for one. */
  readonly pages?: Readonly<Record<string, () => Promise<{ readonly type: string; readonly body: string }>>>;
};

/** Serves the probes. Port 0 picks a free one. */
export async function startHealth(health: Health, at: { readonly host: string; readonly port: number }) {
  const server = createServer(PATIENCE, (request, response) => {
    // Not as a URL: what cannot be read as one (`//`) is still only a page that is not there.
    const [path = "/"] = (request.url ?? "/").split("?", 1);
    answer(health, path, isNear(request.socket.remoteAddress)).then(
      ({ status, type, body }) => response.writeHead(status, { "content-type": type }).end(body),
      () => response.writeHead(500, { "content-type": "text/plain" }).end("the page failed\n"),
    );
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.listen(at.port, at.host);
  await once(server, "listening").catch((error: NodeJS.ErrnoException) => {
    throw new ActivityError("InvalidConfiguration", healthProblem(error, at), { cause: error });
  });
  return { port: portOf(server), close: () => close(server) };
}

/** Why the probes cannot be served there, or `undefined`; found out by listening for a moment. */
export async function findHealthProblem(at: { readonly host: string; readonly port: number }) {
  const server = createServer().listen(at.port, at.host);
  try {
    await once(server, "listening");
  } catch (error) {
    return healthProblem(error as NodeJS.ErrnoException, at); // node:net emits nothing else
  }
  await close(server);
  return undefined;
}

function healthProblem({ code = "" }: NodeJS.ErrnoException, { host, port }: { host: string; port: number }): string {
  if (code === "EADDRINUSE") return `BUCKETLINE_HEALTH_PORT: expected a free port, ${port} is taken at ${host}`;
  if (code === "EACCES") return `BUCKETLINE_HEALTH_PORT: expected a port that this user may serve, got ${port}`;
  return `BUCKETLINE_HEALTH_HOST: expected an address of this machine such as 127.0.0.1 or 0.0.0.0, got ${JSON.stringify(host)} (${code})`;
}

const json = (ok: boolean, body: object) => ({
  status: ok ? 200 : 503,
  type: "application/json",
  body: `${JSON.stringify(body)}\n`,
});

/** Strangers are told whether, and not why not: what is away behind a worker is nobody's business. The log says it. */
async function answer(health: Health, path: string, near: boolean) {
  if (path === "/livez") return json(health.live(), { live: health.live() });
  if (path === "/readyz") {
    const state = health.ready();
    return json(state.ready, near ? state : { ready: state.ready });
  }
  const page = Object.hasOwn(health.pages ?? {}, path) ? health.pages?.[path] : undefined;
  if (page === undefined) return { status: 404, type: "text/plain", body: "expected /livez, /readyz or /metrics\n" };
  return { status: 200, ...(await page()) };
}

/** Of this machine. */
function isNear(address: string | undefined): boolean {
  return /^(?:::ffff:)?127\.|^::1$/.test(address ?? "");
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function close(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}
