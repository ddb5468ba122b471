import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import type { Stack } from "../../stack.ts";

/** A job whose worker died after the last chunk was counted is found after 20 s; it then ends with nothing to do. */
const CLEAN_WITHIN_MS = 60_000;

/** What an ended batch may keep, until its record expires. */
const RECORD = ["", ":segments", ":retaken", ":errors", ":recent", ":rate"];
/** What the queue and the workers keep, whatever batches there were. */
const STANDING =
  /^(batch-chunk:(meta|id|events|stalled-check|marker|pc|metrics:.*)|~workers|~workers-lost|~worker:.*|~profiles|~probe|~audit|~batch:(index|ended|watchdog))$/;
/** What outlives a batch for its time only: the acts on it, and places that a request on its way may still hit. */
const PASSING = /^~(audit-of|leased):/;

/** Waits until Redis holds nothing of an ended batch but its record, which expires; answers what stays beyond. */
export async function findLeftovers({ redis, prefix }: Stack, batch: string): Promise<readonly string[]> {
  const client = new Redis(redis.url);
  const record = new Set(RECORD.map((part) => `~batch:${batch}${part}`));
  try {
    for (const deadline = Date.now() + CLEAN_WITHIN_MS; ; await sleep(500)) {
      const keys = (await client.keys(`${prefix}:*`)).map((key) => key.slice(prefix.length + 1));
      const over = keys.filter((key) => !record.has(key) && !STANDING.test(key) && !PASSING.test(key));
      if (over.length > 0 && Date.now() < deadline) continue;
      const problems = over.length === 0 ? [] : [`Redis still holds ${over.slice(0, 5).join(", ")}`];
      for (const key of keys.filter((one) => record.has(one) || PASSING.test(one)))
        if ((await client.ttl(`${prefix}:${key}`)) < 0) problems.push(`${key} never expires`);
      return problems;
    }
  } finally {
    client.disconnect();
  }
}
