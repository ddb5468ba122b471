import cookie from "@fastify/cookie";
import helmet from "@fastify/helmet";
import rateLimit from "@fastify/rate-limit";
import fastify, { type FastifyInstance, type FastifyRequest, LogController } from "fastify";
import type { Logger } from "pino";
import { didYouMean } from "../../model/closest-name.ts";
import { guard } from "../access/authorize.ts";
import { addressList, clientOf } from "../access/entries.ts";
import type { Identify } from "../access/identity.ts";
import type { DashboardSettings } from "../config.ts";
import { type BaseOf, withoutBase } from "./base-path.ts";
import { boundConnections } from "./bound-connections.ts";
import { compressAnswers } from "./compress-answers.ts";
import { cutSlowBodies } from "./cut-slow-bodies.ts";
import { HttpProblem, problemOf, sendProblem } from "./problem.ts";
import { CSP, PERMISSIONS } from "./security-headers.ts";

/** The most bytes of a JSON body. */
const BODY_LIMIT = 1024 * 1024;
/** A connection on which nothing moves for so long is cut; event streams tick every second, waits end after a minute. */
const IDLE_MS = 120_000;

/** A server with its gate, its headers, its limits and its errors; routes are added by others. */
export async function createServer(
  config: DashboardSettings,
  { identify, baseOf, log }: { readonly identify: Identify; readonly baseOf: BaseOf; readonly log: Logger },
): Promise<FastifyInstance> {
  const fromProxy = addressList(config.trustedProxies);
  const app = fastify({
    loggerInstance: log.child({ part: "dashboard" }),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    connectionTimeout: IDLE_MS,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    // Whether or not a proxy takes the base off: within, every address is the same.
    rewriteUrl: (request) => withoutBase(request.url ?? "/", baseOf(request)),
    trustProxy: (address: string) => fromProxy(address),
    routerOptions: { maxParamLength: 1024 },
    frameworkErrors: (error, request, reply) => {
      const { problem } = problemOf(error);
      void (wantsPage(request) ? app.sendNotFoundPage?.(request, reply) : sendProblem(reply, problem));
    },
  }) as unknown as FastifyInstance; // pino's Logger has all that Fastify's own type of logger asks for
  boundConnections(app.server, fromProxy);
  app.decorateRequest("base", {
    getter(this: FastifyRequest) {
      return baseOf(this.raw);
    },
  });
  await app.register(cookie);
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: CSP },
    // On loopback it is served without TLS; a proxy in front sets this one.
    strictTransportSecurity: false,
    referrerPolicy: { policy: "same-origin" },
    xFrameOptions: { action: "deny" },
  });
  app.addHook("onSend", async ({ base }, reply, payload) => {
    reply.header("permissions-policy", PERMISSIONS);
    const location = reply.getHeader("location");
    // Routes name each other by their own addresses.
    if (typeof location === "string" && location.startsWith("/api/")) reply.header("location", base + location);
    return payload;
  });
  compressAnswers(app);
  cutSlowBodies(app);
  await limitRequests(app, config.limits.requests);
  guard(app, config, identify);
  app.setErrorHandler((error, request, reply) => {
    const { problem, headers, unexpected } = problemOf(error);
    if (unexpected)
      request.log.error({ err: error, method: request.method, path: pathOf(request) }, "a request failed");
    return sendProblem(reply, problem, headers);
  });
  answerUnknown(app);
  return app;
}

/** What is not there, and which of the addresses without parameters was probably meant. */
function answerUnknown(app: FastifyInstance): void {
  const paths: { readonly method: string; readonly path: string }[] = [];
  app.addHook("onRoute", ({ method, url }) => {
    if (!url.includes(":")) paths.push(...[method].flat().map((one) => ({ method: one, path: url })));
  });
  app.setNotFoundHandler((request, reply) => {
    if (wantsPage(request)) return app.sendNotFoundPage?.(request, reply);
    const path = pathOf(request).slice(0, 200);
    const near = paths.filter(({ method }) => method === request.method).map((one) => one.path);
    const detail = `there is no ${request.method} ${path}${didYouMean(path, near)}`;
    return sendProblem(reply, new HttpProblem(404, "NotFound", detail).problem);
  });
}

/** Without its query, in which a provider sends the code of a sign-in. */
const pathOf = ({ url }: FastifyRequest): string => url.split("?", 1)[0] ?? "";

/** Counts every request, before the gate: those that it refuses, and those for nothing that is there, cost something too. */
async function limitRequests(app: FastifyInstance, perMinute: number): Promise<void> {
  await app.register(rateLimit, { global: false });
  const count = app.createRateLimit({
    max: perMinute,
    timeWindow: 60_000,
    keyGenerator: ({ ip }) => clientOf(ip),
  });
  app.addHook("onRequest", async (request) => {
    const counted = await count(request);
    if (counted.isAllowed || !counted.isExceeded) return;
    const seconds = counted.ttlInSeconds;
    throw new HttpProblem(429, "TooManyRequests", `too many requests; try again in ${seconds} s`, {
      headers: { "retry-after": String(seconds) },
    });
  });
}

/** Whether somebody follows a link or types an address; programs ask for JSON, or for anything. */
function wantsPage({ method, url, headers }: FastifyRequest): boolean {
  if ((method !== "GET" && method !== "HEAD") || url.startsWith("/api/")) return false;
  return /\btext\/html\b/.test(headers.accept ?? "");
}
