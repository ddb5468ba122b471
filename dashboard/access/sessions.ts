import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { RedisClient } from "../../redis/connection/client.ts";
import { unlessForeign } from "../../redis/foreign.ts";
import { z } from "zod";
import type { User } from "./entries.ts";
import type { OidcUser } from "./oidc/login.ts";
import type { OidcLogin } from "./oidc/settings.ts";
import type { Identity } from "./who.ts";

/**
 * Sessions live in Redis: they outlast a restart, hold on every dashboard, and end when somebody signs out. What lies there is signed
 * with a key that Redis does not hold, so whoever writes to Redis can end sessions and make none.
 */
export type Sessions = {
  /** The id is the secret; Redis holds only its hash. */
  create(user: User): Promise<string>;
  /** Of somebody who signed in at the OpenID Connect provider. */
  createOidc(user: OidcUser): Promise<string>;
  find(id: string): Promise<Identity | undefined>;
  end(id: string): Promise<void>;
  /** Ends all sessions of this one's user, on every browser. */
  endAll(id: string): Promise<void>;
};

const Stored = z.object({
  name: z.string(),
  at: z.int(),
  until: z.int(),
  /** The role of somebody whom the provider named. */
  oidc: z.enum(["viewer", "operator"]).optional(),
  mac: z.string(),
});
type Stored = z.output<typeof Stored>;

const ID = /^[A-Za-z0-9_-]{43}$/;

type SessionSettings = {
  readonly prefix: string;
  readonly users: readonly User[];
  readonly sessionHours: number;
  readonly oidc?: OidcLogin;
};

export function createSessions(redis: RedisClient, { prefix, users, sessionHours, oidc }: SessionSettings): Sessions {
  const ttl = sessionHours * 3600;
  const key = (id: string) => `${prefix}:~dashboard:session:${sha256(id)}`;
  const endedKey = (name: string) => `${prefix}:~dashboard:sessions-ended:${sha256(name)}`;
  const read = async (id: string): Promise<{ user: User; at: number; kind: "session" | "oidc" } | undefined> => {
    if (!ID.test(id)) return undefined;
    const session = parse(await unlessForeign(redis.get(key(id)), null));
    if (session === undefined || session.until <= Date.now()) return undefined;
    // A user who was taken out, or whose password or role changed, has to sign in again: the signature is another then.
    const kind = session.oidc === undefined ? "session" : "oidc";
    const user =
      session.oidc === undefined
        ? users.find(({ name }) => name === session.name)
        : providersUser({ name: session.name, role: session.oidc });
    return user !== undefined && isSigned(session, user, id) ? { user, at: session.at, kind } : undefined;
  };
  const providersUser = (given: OidcUser) => oidc && asUser(given, oidc);
  const add = async (user: User, more: { readonly oidc?: "viewer" | "operator" }): Promise<string> => {
    const id = randomBytes(32).toString("base64url");
    const at = Date.now();
    const session = { name: user.name, at, until: at + ttl * 1000, ...more };
    await redis.set(key(id), JSON.stringify({ ...session, mac: sign(session, user, id) }), "EX", ttl);
    return id;
  };
  return {
    create: (user) => add(user, {}),
    createOidc: async (given) => {
      const user = providersUser(given);
      if (user === undefined) throw new TypeError("expected a provider");
      return add(user, { oidc: given.role });
    },
    find: async (id) => {
      const found = await read(id);
      if (found === undefined) return undefined;
      const { name, role } = found.user;
      // Whoever writes to Redis may end sessions, with anything.
      const ended = await unlessForeign(redis.get(endedKey(nameOfEnded(found.kind, name))), "ended by another hand");
      if (ended !== null && !(found.at > Number(ended))) return undefined;
      return { kind: found.kind, name, role };
    },
    end: async (id) => {
      await redis.del(key(id));
    },
    endAll: async (id) => {
      const found = await read(id);
      if (found !== undefined)
        await redis.set(endedKey(nameOfEnded(found.kind, found.user.name)), Date.now(), "EX", ttl);
      await redis.del(key(id));
    },
  };
}

function parse(text: string | null): Stored | undefined {
  if (text === null) return undefined;
  try {
    return Stored.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // a foreign hand wrote it
  }
}

/** What stands for the password of somebody who has none here; no hash of a user's has this form. */
function asUser({ name, role }: OidcUser, { issuer, clientSecret }: OidcLogin): User {
  return { name, role, hash: `oidc ${issuer} ${clientSecret}` };
}

/** A user of the provider may be called like one of ours. */
function nameOfEnded(kind: string, name: string): string {
  return kind === "oidc" ? `oidc ${name}` : name;
}

/** Bound to the id, the user's role and password, and the session's end: none can be lent to another. */
function sign({ name, at, until, oidc }: Omit<Stored, "mac">, user: User, id: string): string {
  const text = JSON.stringify([sha256(id), name, user.role, at, until, ...(oidc === undefined ? [] : ["oidc"])]);
  return createHmac("sha256", userKey(user, "session")).update(text).digest("base64url");
}

function isSigned(session: Stored, user: User, id: string): boolean {
  return isEqual(session.mac, sign(session, user, id));
}

/** Compares in constant time. */
export function isEqual(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}

/** A key of a user for one use. Made of the salted hash of the password, which every dashboard is configured with and Redis never sees. */
export function userKey({ name, hash }: User, use: "session" | "device"): Buffer {
  return createHmac("sha256", hash).update(`bucketline ${use} ${name}`).digest();
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
