import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { RedisClient } from "../../redis/connection/client.ts";
import { z } from "zod";
import type { User } from "./entries.ts";
import type { Identity } from "./who.ts";

/**
 * Sessions live in Redis: they outlast a restart, hold on every dashboard, and end when somebody signs out. What lies there is signed
 * with a key that Redis does not hold, so whoever writes to Redis can end sessions and make none.
 */
export type Sessions = {
  /** The id is the secret; Redis holds only its hash. */
  create(user: User): Promise<string>;
  find(id: string): Promise<Identity | undefined>;
  end(id: string): Promise<void>;
  /** Ends all sessions of this one's user, on every browser. */
  endAll(id: string): Promise<void>;
};

const Stored = z.object({ name: z.string(), at: z.int(), until: z.int(), mac: z.string() });
type Stored = z.output<typeof Stored>;

const ID = /^[A-Za-z0-9_-]{43}$/;

export function createSessions(
  redis: RedisClient,
  {
    prefix,
    users,
    sessionHours,
  }: { readonly prefix: string; readonly users: readonly User[]; readonly sessionHours: number },
): Sessions {
  const ttl = sessionHours * 3600;
  const key = (id: string) => `${prefix}:~dashboard:session:${sha256(id)}`;
  const endedKey = (name: string) => `${prefix}:~dashboard:sessions-ended:${sha256(name)}`;
  const read = async (id: string): Promise<{ user: User; at: number } | undefined> => {
    if (!ID.test(id)) return undefined;
    const session = parse(await redis.get(key(id)));
    if (session === undefined || session.until <= Date.now()) return undefined;
    // A user who was taken out, or whose password or role changed, has to sign in again: the signature is another then.
    const user = users.find(({ name }) => name === session.name);
    return user !== undefined && isSigned(session, user, id) ? { user, at: session.at } : undefined;
  };
  return {
    create: async (user) => {
      const id = randomBytes(32).toString("base64url");
      const at = Date.now();
      const session = { name: user.name, at, until: at + ttl * 1000 };
      await redis.set(key(id), JSON.stringify({ ...session, mac: sign(session, user, id) }), "EX", ttl);
      return id;
    },
    find: async (id) => {
      const found = await read(id);
      if (found === undefined) return undefined;
      const { name, role } = found.user;
      const ended = await redis.get(endedKey(name));
      if (ended !== null && !(found.at > Number(ended))) return undefined;
      return { kind: "session", name, role };
    },
    end: async (id) => {
      await redis.del(key(id));
    },
    endAll: async (id) => {
      const found = await read(id);
      if (found !== undefined) await redis.set(endedKey(found.user.name), Date.now(), "EX", ttl);
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

/** Bound to the id, the user's role and password, and the session's end: none can be lent to another. */
function sign({ name, at, until }: Omit<Stored, "mac">, user: User, id: string): string {
  const text = JSON.stringify([sha256(id), name, user.role, at, until]);
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
