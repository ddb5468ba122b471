import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from "fastify";
import type { DashboardSettings } from "../config.ts";
import { HttpProblem } from "../http/problem.ts";
import { checkHost, checkOrigin, checkReader } from "./check-origin.ts";
import type { Identify, Identity } from "./identity.ts";
import { refuseScoped } from "./scope.ts";

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

/** Signing in and out: not safe methods, and open to those who may change nothing else. */
const SESSION_PATH = "/api/session";

/**
 * The one gate of all requests. It decides by the route's declared access, never by its handler; a route without one, or a writing
 * route that viewers could use, stops the server from starting.
 */
export function guard(app: FastifyInstance, config: DashboardSettings, identify: Identify): void {
  app.decorateRequest("identity", undefined);
  // Looked at when all are there: plugins set the access of their routes after this hook has seen them.
  const routes: RouteOptions[] = [];
  app.addHook("onRoute", (route) => void routes.push(route));
  app.addHook("onReady", async () => routes.forEach(checkDeclaration));

  app.addHook("onRequest", async (request, reply) => {
    checkHost(request, config);
    if (request.is404) return undefined;
    const access = request.routeOptions.config.access ?? "operate";
    const writes = !SAFE_METHODS.has(request.method);
    if (access === "public" && !writes) return undefined;
    request.identity = await identify(request);
    if (writes || access === "operate") checkOrigin(request, config.publicHosts);
    else if (request.url.startsWith("/api/")) checkReader(request, { links: true });
    if (access === "public") return undefined;
    if (request.identity === undefined) return askToSignIn(request, reply, config);
    if (request.routeOptions.config.scoped !== true)
      refuseScoped(request.identity, `${request.method} ${request.url.split("?", 1)[0]}`);
    if (access === "operate") checkOperator(request.identity, config);
    return undefined;
  });
}

function checkDeclaration({ method, url, config }: RouteOptions): void {
  const methods = [method].flat();
  const access = config?.access;
  if (access === undefined) throw new Error(`${methods.join()} ${url} declares no access`);
  const writes = methods.some((each) => !SAFE_METHODS.has(each));
  if (writes && access !== "operate" && url !== SESSION_PATH)
    throw new Error(`${methods.join()} ${url} changes something but is open to ${access}`);
}

/** Throws 403 where an identity may not change anything. */
export function checkOperator(identity: Identity, { readOnly }: Pick<DashboardSettings, "readOnly">): void {
  if (readOnly)
    throw new HttpProblem(
      403,
      "ReadOnly",
      "this dashboard changes nothing: it was started with BUCKETLINE_DASHBOARD_READ_ONLY",
    );
  if (identity.role !== "operator")
    throw new HttpProblem(403, "Forbidden", `expected an operator, got the ${identity.role} ${identity.name}`);
}

/** Throws 403 for whoever may not see secrets, and where a page of somebody else leads an operator to one. */
export function checkRevealing(request: FastifyRequest, config: Pick<DashboardSettings, "readOnly">): void {
  checkReader(request, { links: false });
  if (request.identity) checkOperator(request.identity, config);
}

function askToSignIn(request: FastifyRequest, reply: FastifyReply, config: DashboardSettings): FastifyReply {
  const isPage = request.headers.accept?.includes("text/html") === true && !request.url.startsWith("/api/");
  if (isPage) return reply.redirect(signInPage(request, config), 303);
  throw new HttpProblem(401, "Unauthenticated", "expected a session cookie or Authorization: Bearer <token>", {
    headers: { "www-authenticate": 'Bearer realm="bucketline"' },
  });
}

/** Our own, or that of the app around us, which knows addresses of the whole host. */
function signInPage({ url, base }: FastifyRequest, { hostSignIn, users, oidc }: DashboardSettings): string {
  const signInUrl = users.length === 0 && oidc === undefined ? hostSignIn?.signInUrl : undefined;
  if (signInUrl === undefined) return `${base}/login?next=${encodeURIComponent(url)}`;
  return `${signInUrl}${signInUrl.includes("?") ? "&" : "?"}next=${encodeURIComponent(base + url)}`;
}
