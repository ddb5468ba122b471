import type { RedisClient } from "../connection/client.ts";
import { loadScript } from "../scripts/load.ts";
import { replyText, runScript } from "../scripts/run.ts";

const info = loadScript(new URL("./info.lua", import.meta.url), { keys: ["there"], args: [] });

/** What Redis tells of itself, by field: `redis_version`, `role`. */
export type RedisInfo = ReadonlyMap<string, string>;

/**
 * Asks the server that holds `key`, which in a cluster is one of several: INFO names no key, so it goes there inside a script.
 * Managed services answer it where they refuse CONFIG.
 */
export async function readInfo(client: RedisClient, key: string): Promise<RedisInfo> {
  if (!client.isCluster) return parseInfo(await client.info());
  return parseInfo(replyText(await runScript(client, info, { there: key }, {})));
}

function parseInfo(text: string): RedisInfo {
  return new Map(
    text.split("\r\n").flatMap((line): [string, string][] => {
      const at = line.indexOf(":");
      return at < 1 ? [] : [[line.slice(0, at), line.slice(at + 1)]];
    }),
  );
}

/** BullMQ needs the commands of 6.2. https://docs.bullmq.io/guide/redis-tm-compatibility */
const OLDEST = [6, 2] as const;

/** Whether a version is older than what is needed. One that is not told is taken for new enough. */
export function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return /^\d/.test(version) && (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]));
}
