import type { Logger } from "pino";
import type { Profiles } from "../../credentials/resolved-profile.ts";
import { profileOf } from "../../jobs/failures.ts";
import type { ActivityError } from "../../model/activity-error.ts";
import { isThrottle } from "../../model/throttle.ts";
import type { RedisClient } from "../../redis/connection/client.ts";
import type { RedisKeys } from "../../redis/keys.ts";

/** Codes that say that an identity is not accepted, whatever it asks for. */
const REFUSALS: ReadonlySet<string> = new Set([
  "InvalidAccessKeyId",
  "SignatureDoesNotMatch",
  "ExpiredToken",
  "ExpiredTokenException",
  "InvalidToken",
  "AccountProblem",
  "AllAccessDisabled",
  "CredentialsUnavailable",
]);
/** Of profiles that nobody has any more so much is kept, in seconds. */
const KEPT_S = 7 * 86_400;

/** What a worker tells of its profiles, for whoever looks after them. No secret is among it. */
export type ProfileNotes = {
  failed(data: unknown, error: ActivityError): Promise<void>;
  /** Costs nothing where the profile was not refused before. `proof`: the job was to prove its credentials. */
  succeeded(data: unknown, proof: boolean): Promise<void>;
};

type Deps = {
  readonly redis: RedisClient;
  readonly keys: RedisKeys;
  readonly profiles: Profiles;
  readonly log: Logger;
};

/** Tells what profiles there are, and notes from then on what becomes of them. That something could not be noted is no failure of a job. */
export function createProfileNotes(deps: Deps): ProfileNotes {
  const { redis, keys, profiles, log } = deps;
  const refused = new Set<string>();
  const quietly = async (what: Promise<unknown>) => {
    await what.catch((error: unknown) => log.warn({ err: error }, "could not note how a profile stands"));
  };
  void quietly(publish(deps));
  return {
    async failed(data, error) {
      const name = profileName(data);
      if (!profiles.names.includes(name)) return;
      if (REFUSALS.has(error.code)) {
        refused.add(name);
        const key = keys.profile(name);
        const now = Date.now();
        await quietly(
          redis
            .pipeline()
            .hsetnx(key, "refusedSince", String(now))
            .hset(key, "refusedAt", now, "refusedCode", error.code)
            .expire(key, KEPT_S)
            .exec(),
        );
      } else if (isThrottle(error)) {
        await quietly(redis.hset(keys.profile(name), "throttledAt", Date.now(), "throttledCode", error.code));
      }
    },
    async succeeded(data, proof) {
      const name = profileName(data);
      if (!(refused.delete(name) || proof) || !profiles.names.includes(name)) return;
      await quietly(noteProof(deps, name));
    },
  };
}

async function noteProof({ redis, keys, profiles }: Deps, name: string): Promise<void> {
  const { connection } = await profiles.resolve(name);
  const { expiration } = await connection.credentials();
  const key = keys.profile(name);
  const expires = expiration === undefined ? "" : expiration.getTime();
  await redis
    .pipeline()
    .hdel(key, "refusedSince", "refusedAt", "refusedCode")
    .hset(key, "provedAt", Date.now(), "expiresAt", expires)
    .expire(key, KEPT_S)
    .exec();
}

async function publish({ redis, keys, profiles }: Deps): Promise<void> {
  const at = new Date(Date.now()).toISOString();
  for (const name of profiles.names) {
    const { connection, policy, provider } = await profiles.resolve(name);
    const { region, endpoint, pathStyle, conditionalDelete, conditionalCopy } = connection;
    const told = { provider, region, endpoint, pathStyle, conditionalDelete, conditionalCopy, policy, at };
    await redis.hset(keys.profiles(), name, JSON.stringify(told));
  }
}

const profileName = (data: unknown): string =>
  profileOf(typeof data === "object" && data !== null && "credentials" in data ? data.credentials : undefined);
