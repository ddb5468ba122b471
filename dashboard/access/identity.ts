import { timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import type { DashboardSettings } from "../config.ts";
import { hasLogin } from "../config.ts";
import { hashToken } from "../password-hash.ts";
import { addressList, type Token } from "./entries.ts";
import type { Identity } from "./who.ts";
import { SESSION_COOKIE, type Sessions } from "./sessions.ts";

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
  const { proxy } = config;
  const fromProxy = proxy && addressList(proxy.addresses);
  return async (request) => {
    if (!hasLogin(config)) return { kind: "open", name: "local", role: "operator" };
    const { authorization } = request.headers;
    // Whoever shows a token is who the token says, or nobody: a wrong one never falls back to a cookie.
    if (authorization !== undefined) return byToken(config.tokens, authorization);
    // The address of the connection itself: what a forwarding header says is anybody's.
    if (proxy && fromProxy?.(request.socket.remoteAddress)) {
      const name = headerOf(request, proxy.userHeader);
      if (name !== undefined) {
        const groups = proxy.groupsHeader === undefined ? "" : (headerOf(request, proxy.groupsHeader) ?? "");
        const names = [name, ...groups.split(",").map((group) => group.trim())];
        const role = names.some((entry) => proxy.operators.includes(entry)) ? "operator" : "viewer";
        return { kind: "proxy", name, role };
      }
    }
    const id = request.cookies[SESSION_COOKIE];
    return id === undefined ? undefined : sessions.find(id);
  };
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
  return found && { kind: "token", name: found.name, role: found.role };
}
