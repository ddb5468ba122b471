import { createHash } from "node:crypto";
import type { RedisClient } from "../../redis/connection/client.ts";
import { loadScript } from "../../redis/scripts/load.ts";
import { runScript } from "../../redis/scripts/run.ts";
import { HttpProblem } from "../http/problem.ts";
import { clientOf } from "./entries.ts";

const WINDOW_S = 60;
/** How many more tries a name has than an address: enough that nobody locks a colleague out by accident. */
const NAME_FACTOR = 3;

const countTry = loadScript(new URL("./scripts/count-try.lua", import.meta.url), {
  keys: ["counter"],
  args: ["window"],
});
const takeBackTry = loadScript(new URL("./scripts/take-back-try.lua", import.meta.url), {
  keys: ["counter"],
  args: [],
});

/** Who tries to sign in. `device`: a browser that the user has signed in with before. */
export type Try = { readonly address: string; readonly name: string; readonly device: string | undefined };

/** Counts sign-ins that failed, by address and by name, in Redis: so for all dashboards together, and across restarts. */
export function createLoginLimit(
  redis: RedisClient,
  { prefix, perMinute }: { readonly prefix: string; readonly perMinute: number },
) {
  const key = (kind: string, value: string) =>
    `${prefix}:~dashboard:login-failures:${kind}:${createHash("sha256").update(value).digest("hex").slice(0, 32)}`;
  const countersOf = ({ address, name, device }: Try) =>
    device === undefined
      ? [
          { key: key("address", clientOf(address)), most: perMinute },
          { key: key("name", name), most: perMinute * NAME_FACTOR },
        ]
      : [{ key: key("device", device), most: perMinute }];
  return {
    /** Counts a try before it is made, and throws 429 beyond the limit: a right password then does not help either. */
    async count(attempt: Try): Promise<void> {
      const counters = countersOf(attempt);
      const counts = await Promise.all(
        counters.map((counter) => runScript(redis, countTry, { counter: counter.key }, { window: WINDOW_S })),
      );
      if (counters.every(({ most }, index) => Number(counts[index]) <= most)) return;
      throw new HttpProblem(429, "TooManyLogins", "too many sign-ins failed; try again in a minute", {
        headers: { "retry-after": String(WINDOW_S) },
      });
    },
    /** A sign-in that worked takes its try back; earlier failures stay counted. */
    async forgive(attempt: Try): Promise<void> {
      await Promise.all(
        countersOf(attempt).map((counter) => runScript(redis, takeBackTry, { counter: counter.key }, {})),
      );
    },
  };
}
