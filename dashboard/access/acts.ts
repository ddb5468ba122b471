import type { FastifyRequest } from "fastify";
import { type Act, type AuditTarget, oneLine, Reason } from "../../producer/audit/entry.ts";
import { writeAct } from "../../producer/audit/log.ts";
import type { RedisClient } from "../../redis/connection/client.ts";
import { redisKeys } from "../../redis/keys.ts";
import { HttpProblem } from "../http/problem.ts";
import { redact } from "../redact.ts";

/** An act as a route tells of it. */
export type Told = {
  /** The thing and the verb, such as `batch.cancel`. */
  readonly action: string;
  readonly target?: AuditTarget | undefined;
  readonly detail?: string | undefined;
  /** Where the request was nobody's yet: who signed in. */
  readonly actor?: { readonly name: string; readonly kind: string };
  readonly failed?: string | undefined;
};

/** Writes down who did what, in Redis and in the log. */
export type Acts = (request: FastifyRequest, told: Told) => Promise<void>;

export function createActs(redis: RedisClient, prefix: string): Acts {
  const keys = redisKeys(prefix);
  return async (request, { actor, target, detail, ...told }) => {
    const who = actor ?? request.identity ?? { name: "nobody", kind: "nobody" };
    const reason = reasonOf(request);
    const act: Act = {
      actor: who.name,
      known: who.kind,
      via: viaOf(request, who.kind),
      ...told,
      ...(target !== undefined && { target }),
      ...(reason !== undefined && { reason }),
      ...(detail !== undefined && { detail: oneLine(String(redact(detail))) }),
    };
    request.log.info({ act, address: request.ip }, "an act");
    try {
      await writeAct(redis, keys, act);
    } catch (error) {
      // It has been done: the log has it, and to answer that it failed would be untrue.
      request.log.error({ err: error, act }, "an act could not be written down in Redis");
    }
  };
}

/** `?reason=` of a request that changes something. Throws 422 where it is no line of text, or too long. */
export function reasonOf({ query }: Pick<FastifyRequest, "query">): string | undefined {
  const given = typeof query === "object" && query !== null && "reason" in query ? query.reason : undefined;
  if (given === undefined || given === "") return undefined;
  const parsed = Reason.safeParse(given);
  if (parsed.success) return String(redact(parsed.data));
  throw new HttpProblem(422, "InvalidInput", "query: reason: expected one line of at most 500 characters", {
    field: "reason",
  });
}

/** Browsers say where a request comes from; a program with a token is the API's. */
function viaOf({ headers }: FastifyRequest, kind: string): string {
  if (kind === "token") return "api";
  return headers["sec-fetch-site"] === undefined && headers.origin === undefined ? "api" : "dashboard";
}
