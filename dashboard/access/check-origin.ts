import { isIP } from "node:net";
import type { FastifyRequest } from "fastify";
import { HttpProblem } from "../http/problem.ts";
import { isLoopback } from "./entries.ts";

/**
 * Refuses names that are not ours: a foreign page can point its own name at the dashboard's address and would then be of "our" origin
 * (DNS rebinding). An address is no name: no page of somebody else is served under it. Where only this machine is listened to, only
 * its own names and addresses are answered.
 */
export function checkHost(
  request: FastifyRequest,
  { host, publicHosts }: { readonly host: string; readonly publicHosts: readonly string[] },
): void {
  const name = hostName(request.headers.host);
  if (name !== undefined && saysOneHost(request)) {
    if (isLoopback(name) || name === host.toLowerCase() || publicHosts.includes(name)) return;
    if (!isLoopback(host) && isAddress(name)) return;
  }
  throw new HttpProblem(
    421,
    "HostNotAllowed",
    "this is not the host that was asked for; add its name to BUCKETLINE_DASHBOARD_PUBLIC_HOSTS if it should be",
    { field: "host" },
  );
}

/** A proxy in front may go by another name than we do, where a request has two of them, or one in its address. */
function saysOneHost({ raw }: FastifyRequest): boolean {
  const names = raw.rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === "host");
  return names.length === 1 && raw.url?.startsWith("/") === true;
}

function isAddress(name: string): boolean {
  return isIP(name.replace(/^\[(.*)\]$/, "$1")) !== 0;
}

/**
 * Refuses requests that a foreign page made a browser send. Browsers say where a request comes from; a program that says nothing
 * must not rely on a cookie.
 */
export function checkOrigin(request: FastifyRequest, publicHosts: readonly string[]): void {
  const { origin } = request.headers;
  const site = request.headers["sec-fetch-site"];
  // `none`: the user's own doing, such as an address typed in; a page cannot send it.
  if (site !== undefined && site !== "same-origin" && site !== "none") throw foreign("one from another site");
  if (origin !== undefined) {
    const url = URL.canParse(origin) ? new URL(origin) : undefined;
    // Another port of our name is another server's page: a proxy on such a port that changes Host has the browser's own word.
    const isPublic =
      url !== undefined && publicHosts.includes(url.hostname) && (url.port === "" || site === "same-origin");
    if (url?.host !== request.headers.host?.toLowerCase() && !isPublic) throw foreign("one from another origin");
  }
  const says = site !== undefined || origin !== undefined;
  // Proxies and apps around us know people by cookies of their own.
  const byCookie =
    SESSIONS.has(request.identity?.kind ?? "") ||
    (request.headers.cookie !== undefined && BY_COOKIE.has(request.identity?.kind ?? ""));
  if (!says && byCookie) throw foreign("one with a cookie and no Origin");
}

/**
 * Refuses what a foreign page makes a browser ask for in passing: it could not read the answer, and would hold streams and cause work in
 * somebody's name. A link that is followed is the user's own doing, unless `links` says that nothing here may be linked to.
 */
export function checkReader({ headers }: FastifyRequest, { links }: { readonly links: boolean }): void {
  const site = headers["sec-fetch-site"];
  if (site === undefined || site === "same-origin" || site === "none") return;
  if (!links || headers["sec-fetch-mode"] !== "navigate") throw foreign("one from another site");
}

const SESSIONS: ReadonlySet<string> = new Set(["session", "oidc"]);
const BY_COOKIE: ReadonlySet<string> = new Set(["proxy", "host"]);

function foreign(why: string): HttpProblem {
  const expected = "expected a request from the dashboard's own pages or from a program";
  return new HttpProblem(403, "ForeignOrigin", `${expected}, got ${why}`);
}

function hostName(host: string | undefined): string | undefined {
  if (host === undefined || !URL.canParse(`http://${host}/`)) return undefined;
  const { hostname, pathname, username, search } = new URL(`http://${host}/`);
  return pathname === "/" && username === "" && search === "" ? hostname.toLowerCase() : undefined;
}
