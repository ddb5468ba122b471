import { timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { type DashboardSettings, hasLogin } from "../config.ts";
import type { ProxyLogin } from "./proxy-login.ts";
import type { HostSignIn } from "./host-sign-in.ts";
import { MAX_ACTOR } from "../../producer/audit/entry.ts";
import { hostRequestOf } from "../http/host-request.ts";
import { hashToken } from "../password-hash.ts";
import { sessionIdOf } from "./cookies.ts";
import { addressList, type Token } from "./entries.ts";
import type { Sessions } from "./sessions.ts";
import type { Identity } from "./who.ts";

export type { Identity } from "./who.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Set before any handler runs; undefined only on public routes. */
    identity: Identity | undefined;
  }
}

/** Finds out who asks, or `undefined`. */
export type Identify = (request: FastifyRequest) => Promise<Identity | undefined>;

export function createIdentify(config: DashboardSettings, sessions: Sessions): Identify {
  const fromProxy = addressList(config.trustedProxies);
  return async (request) => {
    if (!hasLogin(config)) return { kind: "open", name: "local", role: "operator" };
    const { authorization } = request.headers;
    // Whoever shows a token is who the token says, or nobody: a wrong one never falls back to a cookie. Others may be the app's around us.
    if (authorization !== undefined && (config.hostSignIn === undefined || OURS.test(authorization)))
      return byToken(config.tokens, authorization);
    // The address of the connection itself: what a forwarding header says is anybody's.
    if (config.proxy !== undefined && fromProxy(request.socket.remoteAddress)) {
      const found = byProxy(config.proxy, request);
      if (found !== undefined) return found;
    }
    const id = sessionIdOf(request);
    const found = id === undefined ? undefined : await sessions.find(id);
    return found ?? byHost(config.hostSignIn, request);
  };
}

/** A token that `bucketline dashboard create-token` made. */
const OURS = /^Bearer bl_/i;

const Known = z.object({ name: z.string().min(1).max(MAX_ACTOR), role: z.enum(["viewer", "operator"]) });

/** What an app tells of its people is checked: a role that is none would be nobody's, and a name stands in the record of acts. */
async function byHost(host: HostSignIn | undefined, request: FastifyRequest): Promise<Identity | undefined> {
  const known = await host?.identify(request.raw, hostRequestOf(request.raw));
  return known === undefined || known === null ? undefined : { kind: "host", ...Known.parse(known) };
}

function byProxy(
  { userHeader, groupsHeader, operatorUsers, operatorGroups }: ProxyLogin,
  request: FastifyRequest,
): Identity | undefined {
  const name = headerOf(request, userHeader);
  if (name === undefined || isTwice(request, userHeader)) return undefined;
  if (groupsHeader !== undefined && isTwice(request, groupsHeader)) return undefined;
  const groups = groupsHeader === undefined ? "" : (headerOf(request, groupsHeader) ?? "");
  const operates =
    operatorUsers.includes(name) || groups.split(",").some((group) => operatorGroups.includes(group.trim()));
  return { kind: "proxy", name, role: operates ? "operator" : "viewer" };
}

/** Node joins lines of one name with commas: where there are two, one may be the browser's and no proxy has overwritten it. */
function isTwice({ raw: { rawHeaders } }: FastifyRequest, name: string): boolean {
  return rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === name).length > 1;
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" && value !== "" && value.length <= 256 ? value : undefined;
}

function byToken(tokens: readonly Token[], authorization: string): Identity | undefined {
  const [, token] = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(authorization) ?? [];
  if (token === undefined) return undefined;
  const given = Buffer.from(hashToken(token), "hex");
  const found = tokens.find(({ hash }) => timingSafeEqual(given, Buffer.from(hash, "hex")));
  if (found?.expires !== undefined && Date.now() >= found.expires) return undefined;
  if (found === undefined) return undefined;
  const { name, role, scope } = found;
  return { kind: "token", name, role, ...(scope && { scope }) };
}
