import { z } from "zod";
import type { RedisClient } from "../../redis/connection/client.ts";
import { unlessForeign } from "../../redis/foreign.ts";
import { redisKeys } from "../../redis/keys.ts";
import { instant, parseJson } from "../job-views/job-fields.ts";

/** What workers tell of a profile. Nothing of it is secret. */
const Told = z.object({
  provider: z.string().optional(),
  region: z.string(),
  endpoint: z.string().optional(),
  pathStyle: z.boolean().default(false),
  conditionalDelete: z.boolean().default(false),
  conditionalCopy: z.boolean().default(false),
  policy: z
    .array(
      z.object({
        activities: z.array(z.string()),
        buckets: z.array(z.string()),
        prefixes: z.array(z.string()).optional(),
      }),
    )
    .optional(),
  at: z.string(),
});

export type ProfileView = z.output<typeof Told> & {
  readonly name: string;
  /** When its credentials were last proven, and until when those hold. */
  readonly provedAt?: string;
  readonly expiresAt?: string;
  /** Since when the store refuses it, and with which code. */
  readonly refusedSince?: string;
  readonly refusedCode?: string;
  readonly throttledAt?: string;
  readonly throttledCode?: string;
};

/** The profiles of the workers, by name: those that are refused come first. */
export async function readProfiles(redis: RedisClient, prefix: string): Promise<ProfileView[]> {
  const keys = redisKeys(prefix);
  const told = Object.entries(await redis.hgetall(keys.profiles())).flatMap(([name, text]) => {
    const { data } = Told.safeParse(parseJson(text));
    return data === undefined ? [] : [{ name, ...data }];
  });
  const views = await Promise.all(
    told.map(async (profile) => ({
      ...profile,
      ...standing(await unlessForeign(redis.hgetall(keys.profile(profile.name)), {})),
    })),
  );
  const refused = ({ refusedSince }: ProfileView) => (refusedSince === undefined ? 1 : 0);
  return views.toSorted((a, b) => refused(a) - refused(b) || (a.name < b.name ? -1 : 1));
}

function standing(hash: Readonly<Record<string, string>>) {
  const times = ["provedAt", "expiresAt", "refusedSince", "throttledAt"].flatMap((name) => {
    const at = instant(hash[name]);
    return at === undefined ? [] : [[name, at] as const];
  });
  const codes = ["refusedCode", "throttledCode"].flatMap((name) => (hash[name] ? [[name, hash[name]] as const] : []));
  return Object.fromEntries([...times, ...codes]) as Partial<ProfileView>; // of its fields
}
