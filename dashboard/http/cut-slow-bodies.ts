import type { FastifyInstance } from "fastify";

/** A body of JSON, 1 MiB at most, is here by then, or its connection is of no use. */
export const BODY_TIME_MS = 30_000;

declare module "fastify" {
  interface FastifyContextConfig {
    /** Its body is content of any length and may take its time. */
    streams?: boolean;
  }
}

/**
 * Ends requests whose body trickles in: each would hold a connection for as long as its sender likes, refused or not. Content that is
 * uploaded is exempt once the gate has let it in; a connection on which nothing moves at all is cut anyway.
 */
export function cutSlowBodies(app: FastifyInstance, timeMs: number = BODY_TIME_MS): void {
  app.addHook("onRequest", async ({ raw }, reply) => {
    if (raw.headers["content-length"] === undefined && raw.headers["transfer-encoding"] === undefined) return;
    const timer = setTimeout(() => {
      if (raw.complete) return;
      if (!reply.raw.headersSent) {
        reply.hijack();
        reply.raw.writeHead(408, { connection: "close" });
      }
      reply.raw.end(() => raw.destroy());
    }, timeMs);
    timer.unref();
    const stop = (): void => clearTimeout(timer);
    raw.once("end", stop);
    raw.once("close", stop);
    reply.raw.once("let-in", stop);
  });
  app.addHook("preParsing", async (request, reply) => {
    if (request.routeOptions.config.streams === true) reply.raw.emit("let-in");
  });
}
