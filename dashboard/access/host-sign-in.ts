import type { IncomingMessage } from "node:http";
import type { FastifyRequest } from "fastify";
import type { Role } from "./rights.ts";

/** Somebody whom the app knows that the dashboard is a part of. */
export type HostIdentity = { readonly name: string; readonly role: Role };

/** The sign-in of such an app. */
export type HostSignIn = {
  /** Tells who asks, or nothing. `fastify`: the app's own request, where it is one of Fastify's. */
  readonly identify: (
    request: IncomingMessage,
    fastify?: FastifyRequest,
  ) => HostIdentity | undefined | Promise<HostIdentity | undefined>;
  /** Where people who are not known go, with `?next=` and where they wanted to. */
  readonly signInUrl?: string;
};
