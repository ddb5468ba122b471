import { createHash, randomBytes } from "node:crypto";
import type { RedisClient } from "../../redis/client.ts";
import { z } from "zod";
import type { User } from "./entries.ts";
import type { Identity } from "./who.ts";

export const SESSION_COOKIE = "bucketline_session";

/** Sessions live in Redis: they outlast a restart, hold on every dashboard, and end when somebody signs out. */
export type Sessions = {
  /** The id is the secret; Redis holds only its hash. */
  create(user: User): Promise<string>;
  find(id: string): Promise<Identity | undefined>;
  end(id: string): Promise<void>;
};

const Stored = z.object({ name: z.string(), fingerprint: z.string() });

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
  return {
    create: async (user) => {
      const id = randomBytes(32).toString("base64url");
      const session = { name: user.name, fingerprint: fingerprintOf(user), at: new Date().toISOString() };
      await redis.set(key(id), JSON.stringify(session), "EX", ttl);
      return id;
    },
    find: async (id) => {
      if (!/^[A-Za-z0-9_-]{43}$/.test(id)) return undefined;
      const text = await redis.get(key(id));
      if (text === null) return undefined;
      const { name, fingerprint } = Stored.parse(JSON.parse(text));
      // A user who was taken out, or whose password or role changed, has to sign in again.
      const user = users.find((entry) => entry.name === name && fingerprintOf(entry) === fingerprint);
      return user && { kind: "session", name: user.name, role: user.role };
    },
    end: async (id) => {
      await redis.del(key(id));
    },
  };
}

function fingerprintOf({ name, role, hash }: User): string {
  return sha256(`${name}:${role}:${hash}`).slice(0, 32);
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
