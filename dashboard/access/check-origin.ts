import type { FastifyRequest } from "fastify";
import { HttpProblem } from "../http/problem.ts";
import { isLoopback } from "./entries.ts";

/**
 * Refuses names that are not ours: a foreign page can point its own name at 127.0.0.1 and would then be of "our" origin
 * (DNS rebinding). A dashboard that listens elsewhere and has a login is not in danger, because a foreign name has no cookie.
 */
export function checkHost(
  request: FastifyRequest,
  { host, publicHosts }: { readonly host: string; readonly publicHosts: readonly string[] },
): void {
  if (!isLoopback(host) && publicHosts.length === 0) return;
  const name = hostName(request.headers.host);
  if (name !== undefined && (isLoopback(name) || name === host.toLowerCase() || publicHosts.includes(name))) return;
  throw new HttpProblem(
    421,
    "HostNotAllowed",
    "this is not the host that was asked for; add its name to BUCKETLINE_DASHBOARD_PUBLIC_HOSTS if it should be",
    { field: "host" },
  );
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
    const own =
      url?.host === request.headers.host?.toLowerCase() || (url !== undefined && publicHosts.includes(url.hostname));
    if (!own) throw foreign("one from another origin");
  }
  const says = site !== undefined || origin !== undefined;
  if (!says && request.identity?.kind === "session") throw foreign("one with a cookie and no Origin");
}

function foreign(why: string): HttpProblem {
  const expected = "expected a request from the dashboard's own pages or from a program";
  return new HttpProblem(403, "ForeignOrigin", `${expected}, got ${why}`);
}

function hostName(host: string | undefined): string | undefined {
  if (host === undefined || !URL.canParse(`http://${host}/`)) return undefined;
  const { hostname, pathname, username, search } = new URL(`http://${host}/`);
  return pathname === "/" && username === "" && search === "" ? hostname.toLowerCase() : undefined;
}
