import type { RedisClient } from "../../redis/connection/client.ts";
import { redisKeys } from "../../redis/keys.ts";
import { redactText } from "../redact.ts";
import { parseJson } from "./job-fields.ts";

/** A job that could not be read and was put aside. */
export type QuarantinedJob = {
  readonly activity: string;
  readonly id: string;
  readonly reason: string;
  readonly at?: string;
  /** The beginning of what was found. */
  readonly raw: string;
};

const SHOWN = 500;
const RAW_SHOWN = 2000;

/** The jobs in quarantine, newest first, at most 500. */
export async function listQuarantine(
  redis: RedisClient,
  prefix: string,
): Promise<{ total: number; jobs: readonly QuarantinedJob[] }> {
  const key = redisKeys(prefix).quarantine();
  const total = await redis.hlen(key);
  const [, entries] =
    total > SHOWN ? await redis.hscan(key, 0, "COUNT", SHOWN) : ["0", Object.entries(await redis.hgetall(key)).flat()];
  const jobs = Array.from({ length: Math.min(SHOWN, entries.length / 2) }, (_, index) =>
    jobOf(entries[2 * index] ?? "", entries[2 * index + 1] ?? ""),
  );
  return { total, jobs: jobs.toSorted((a, b) => (b.at ?? "").localeCompare(a.at ?? "")) };
}

/** Forgets what was kept of one job; the job itself is among the failed ones. False where there is none. */
export async function forgetQuarantined(
  redis: RedisClient,
  prefix: string,
  { activity, id }: { readonly activity: string; readonly id: string },
): Promise<boolean> {
  return (await redis.hdel(redisKeys(prefix).quarantine(), `${activity}/${id}`)) > 0;
}

function jobOf(name: string, text: string): QuarantinedJob {
  const at = name.indexOf("/");
  const record = parseJson(text);
  const field = (wanted: string) =>
    typeof record === "object" && record !== null && wanted in record
      ? String((record as Record<string, unknown>)[wanted]) // it has the field
      : undefined;
  const found = field("at");
  return {
    activity: name.slice(0, at),
    id: name.slice(at + 1),
    reason: redactText(field("reason") ?? "its data could not be read", RAW_SHOWN),
    ...(found !== undefined && { at: found }),
    raw: redactText(field("raw") ?? "", RAW_SHOWN),
  };
}
