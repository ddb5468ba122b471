import type { RedisClient } from "../connection/client.ts";
import { loadScript } from "../scripts/load.ts";
import { replyList, replyText, runScript } from "../scripts/run.ts";

const script = loadScript(new URL("./missing-rights.lua", import.meta.url), {
  keys: ["one", "two"],
  args: ["channel"],
});

/**
 * Commands that this user of Redis may not call, or that this server does not have, out of those that we need. Redis tells nobody what he may: each is
 * called once, on keys that are gone afterwards.
 *
 * @param probeKey one of ours
 */
export async function missingRights(client: RedisClient, probeKey: string): Promise<readonly string[]> {
  const keys = { one: `${probeKey}:one`, two: `${probeKey}:two` };
  const reply = await runScript(client, script, keys, { channel: probeKey });
  const missing = new Set(replyList(reply).map(replyText));
  if (!(await maySendScripts(client, keys.one))) missing.add("eval");
  if (!missing.has("zadd") && !(await mayBlock(client, keys.two))) missing.add("bzpopmin");
  return [...missing].toSorted((a, b) => a.localeCompare(b));
}

/** The one that scripts may not call. It does not wait, for there is something to take. */
async function mayBlock(client: RedisClient, key: string): Promise<boolean> {
  try {
    await client.zadd(key, 1, "x");
    await client.bzpopmin(key, 1);
    return true;
  } catch (error) {
    if (isMissingRight(error)) {
      await client.del(key);
      return false;
    }
    throw error;
  }
}

/** Scripts that a server knows go by their hash; after a failover it may know none. */
async function maySendScripts(client: RedisClient, key: string): Promise<boolean> {
  try {
    await client.eval("return 1", 1, key);
    return true;
  } catch (error) {
    if (isMissingRight(error)) return false;
    throw error;
  }
}

function isMissingRight(error: unknown): boolean {
  return error instanceof Error && /^(NOPERM|ERR unknown command)/i.test(error.message);
}
