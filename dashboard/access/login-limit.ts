import { createHash } from "node:crypto";
import type { RedisClient } from "../../redis/client.ts";
import { HttpProblem } from "../http/problem.ts";

const WINDOW_S = 60;
/** How many more tries a name has than an address: enough that nobody locks a colleague out by accident. */
const NAME_FACTOR = 3;

const COUNT = `
local n = redis.call("INCR", KEYS[1])
if n == 1 then redis.call("EXPIRE", KEYS[1], ARGV[1]) end
return n`;

/** Counts sign-ins that failed, by address and by name, in Redis: so for all dashboards together, and across restarts. */
export function createLoginLimit(
  redis: RedisClient,
  { prefix, perMinute }: { readonly prefix: string; readonly perMinute: number },
) {
  const key = (kind: string, value: string) =>
    `${prefix}:~dashboard:login-failures:${kind}:${createHash("sha256").update(value).digest("hex").slice(0, 32)}`;
  return {
    /** Counts a try before it is made, and throws 429 beyond the limit: a right password then does not help either. */
    async count(address: string, name: string): Promise<void> {
      const [byAddress, byName] = await Promise.all([
        redis.eval(COUNT, 1, key("address", address), WINDOW_S),
        redis.eval(COUNT, 1, key("name", name), WINDOW_S),
      ]);
      if (Number(byAddress) <= perMinute && Number(byName) <= perMinute * NAME_FACTOR) return;
      throw new HttpProblem(429, "TooManyLogins", "too many sign-ins failed; try again in a minute", {
        headers: { "retry-after": String(WINDOW_S) },
      });
    },
    /** A sign-in that worked takes its try back; earlier failures stay counted. */
    async forgive(address: string, name: string): Promise<void> {
      await Promise.all([redis.decr(key("address", address)), redis.decr(key("name", name))]);
    },
  };
}
