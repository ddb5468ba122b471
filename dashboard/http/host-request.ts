import type { IncomingMessage } from "node:http";
import type { FastifyRequest } from "fastify";

const requests = new WeakMap<IncomingMessage, FastifyRequest>();

/** Remembers the request of the app around us that a request came in. */
export function rememberHostRequest(host: FastifyRequest): void {
  requests.set(host.raw, host);
}

export function hostRequestOf(request: IncomingMessage): FastifyRequest | undefined {
  return requests.get(request);
}
