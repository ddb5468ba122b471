import type { IncomingMessage } from "node:http";
import { z } from "zod";
import { addressList } from "../access/entries.ts";

/** The first segments of the dashboard's own addresses: mounted below one of them, an address could mean two things. */
const OWN: ReadonlySet<string> = new Set(
  "about api assets audit batches docs documents jobs login metrics problems profiles quarantine queues schedules settings workers".split(
    " ",
  ),
);
const FORM = /^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*){1,8}$/;
const MOST = 200;

/** Where the dashboard is mounted, without a slash at its end: `/ops`; empty at the root of a host. */
export const BasePath = z
  .string()
  .max(MOST)
  .transform((path) => path.replace(/\/$/, ""))
  .refine((path) => path === "" || isBasePath(path), {
    error: "expected a path such as /ops/, which begins with none of the dashboard's own names (api, jobs, queues ...)",
  });

function isBasePath(path: string): boolean {
  return path.length <= MOST && FORM.test(path) && !OWN.has(path.split("/")[1] ?? "");
}

/** The base of one request; the address that is asked for lies below it, whether or not a proxy took it off. */
export type BaseOf = (request: IncomingMessage) => string;

/**
 * What was configured; else what a trusted proxy says in `X-Forwarded-Prefix`. What does not look like a path is not listened to: the
 * base stands in every page, in redirects and in cookies.
 */
export function createBaseOf({
  basePath,
  trustedProxies,
}: {
  readonly basePath: string;
  readonly trustedProxies: readonly string[];
}): BaseOf {
  if (basePath !== "") return () => basePath;
  const fromProxy = addressList(trustedProxies);
  return ({ headers, socket }) => {
    const said = headers["x-forwarded-prefix"];
    if (typeof said !== "string" || !fromProxy(socket.remoteAddress)) return "";
    const base = said.replace(/\/$/, "");
    return isBasePath(base) ? base : "";
  };
}

/** The address within the dashboard: without the base, where it is still there. */
export function withoutBase(url: string, base: string): string {
  if (base === "" || !url.startsWith(base)) return url;
  const rest = url.slice(base.length);
  if (rest === "" || rest.startsWith("?")) return `/${rest}`;
  return rest.startsWith("/") ? rest : url;
}
