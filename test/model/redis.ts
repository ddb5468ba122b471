import type { RedisClient } from "../../redis/connection/client.ts";
import { timeOfDay } from "./clock.ts";
import { releaseRanges, renewObjects, takeObjects, takeRanges } from "./lease-scripts.ts";
import type { World } from "./world.ts";

const NO_SCRIPT = new Error("NOSCRIPT the model takes scripts whole");

type Data = Map<string, Map<string, string>>;

const copyOf = (data: Data): Data => new Map([...data].map(([key, hash]) => [key, new Map(hash)]));

/** A Redis that knows hashes, the scripts of jobs and leases, and can go back in time. Each command is a step of the scheduler. */
export type ModelRedis = ReturnType<typeof createModelRedis>;

export function createModelRedis(world: World) {
  let data: Data = new Map();
  let snapshots: { readonly at: number; readonly data: Data }[] = [];
  const hash = (key: string): Map<string, string> => {
    const held = data.get(key) ?? new Map<string, string>();
    data.set(key, held);
    return held;
  };

  /** The scripts are known by what they say of themselves. */
  const evalScript = (script: string, count: number, rest: readonly string[]): string | number | (string | null)[] => {
    const keys = rest.slice(0, count);
    const args = rest.slice(count);
    const lease = { keys, args, hash, now: Math.floor(timeOfDay()) };
    const own = hash(keys[0] ?? "");
    const says = (words: string): boolean => script.includes(`-- ${words}`);
    if (says("Takes all of the objects")) return takeObjects(lease);
    if (says("Renews what a run holds")) return renewObjects(lease);
    if (says("Takes all of the ranges")) return takeRanges(lease);
    if (says("Gives ranges back")) return releaseRanges(lease);
    if (says("Sets a field of a hash, unless it was removed") || says("What is known after a failed attempt")) return 0;
    if (says("Keeps the first pin")) {
      if (!own.has("pin")) own.set("pin", args[0] ?? "");
      return [own.get("pin") ?? null, own.get("copy") ?? null];
    }
    if (says("Notes that the effect")) {
      const before = own.has("began");
      own.set("began", "1");
      return before ? 1 : 0;
    }
    if (says("Writes one piece of evidence")) {
      own.set(args[0] ?? "", args[1] ?? "");
      return 1;
    }
    throw new TypeError(`the model does not know this script: ${script}`);
  };
  const asReply = (value: string | number | (string | null)[]): unknown => {
    if (typeof value === "string") return Buffer.from(value);
    return typeof value === "number" ? value : value.map((one) => (one === null ? null : Buffer.from(one)));
  };

  const ask = <Result>(name: string, effect: () => Result): Promise<Result> =>
    world.perform("redis", `redis ${name}`, effect);
  const commands = {
    evalshaBuffer: () => Promise.reject(NO_SCRIPT),
    evalBuffer: (script: string, count: number, ...rest: (string | number)[]) =>
      ask(`script ${rest.slice(count).join(" ").slice(0, 60)}`, () =>
        asReply(evalScript(script, count, rest.map(String))),
      ),
    hget: (key: string, field: string) => ask(`hget ${field}`, () => hash(key).get(field) ?? null),
    hmget: (key: string, ...fields: string[]) =>
      ask("hmget", () => fields.map((field) => hash(key).get(field) ?? null)),
    hdel: (key: string, field: string) => ask(`hdel ${field}`, () => (hash(key).delete(field) ? 1 : 0)),
    del: (key: string) => ask("del", () => (data.delete(key) ? 1 : 0)),
    expire: (key: string, seconds: number) => ask(`expire ${seconds}`, () => (data.has(key) ? 1 : 0)),
  };

  return {
    /** All that jobs and leases ask of it. */
    client: commands as unknown as RedisClient,
    /** For what the model itself keeps there, so that it goes back in time with the rest. */
    hash,
    ask,
    snapshot(): void {
      snapshots = [...snapshots.slice(-3), { at: timeOfDay(), data: copyOf(data) }];
    },
    /** As a replica that takes over without the last second. */
    goBack(): void {
      const [oldest] = snapshots;
      if (oldest === undefined) return;
      world.note(`redis goes back ${timeOfDay() - oldest.at} ms`);
      data = copyOf(oldest.data);
      snapshots = [];
    },
  };
}
