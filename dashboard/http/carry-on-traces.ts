import type { FastifyInstance } from "fastify";

/**
 * Requests carry on the trace that their headers name (`traceparent`, https://www.w3.org/TR/trace-context/), so that an app which enqueues over HTTP
 * sees its job in its own trace.
 */
export async function carryOnTraces(app: FastifyInstance): Promise<void> {
  const { context, propagation } = await import("@opentelemetry/api");
  // Just before the handler: reading a body leaves the context that was set before.
  app.addHook("preHandler", (request, _reply, done) => {
    context.with(propagation.extract(context.active(), request.headers), done);
  });
}
