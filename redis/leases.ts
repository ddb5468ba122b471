import { createHash } from "node:crypto";
import type { RedisClient } from "./connection/client.ts";
import type { RedisKeys } from "./keys.ts";

/*
 * Who is about to delete what. A move that crosses another one would take the copy that the other just made for its own source: the bytes are equal,
 * and a store conditions a delete on nothing else. Two of ours can keep out of each other's way, because both ask here first.
 *
 * For each bucket, told by its endpoint and name and not by a profile, there are two hashes in Redis:
 *   objects   field: key;                  value: `<until> <role> <token> <holder>`   a single job, from its pin to its delete
 *   ranges    field: `<holder> <number>`;  value: `<until> <role> <prefix>`           a batch, for as long as it may delete or write
 * `until` is milliseconds of Redis' own clock; what is past counts as free. `role` is `deletes` for a source and `writes` for a destination. Two single
 * jobs never hold one object at once. A range that deletes keeps out whatever writes into it, and the other way round.
 */

/** A bucket wherever it is reached from: profiles that name one endpoint and bucket mean one bucket. */
export type LeasedBucket = string & { readonly __leasedBucket: true };

/** `deletes`: a source of which objects will be deleted. `writes`: a destination. */
export type LeaseRole = "deletes" | "writes";

export type LeasedObject = { readonly bucket: LeasedBucket; readonly key: string; readonly role: LeaseRole };
export type LeasedRange = { readonly bucket: LeasedBucket; readonly prefix: string; readonly role: LeaseRole };

/** Taken, or who is in the way, such as `batch b1` or `move-object job 7`. */
export type LeaseAnswer = { readonly held: true } | { readonly held: false; readonly by: string };

export type Leases = {
  /** All of the objects or none. The same holder takes its own again, with a new token. */
  takeObjects(request: {
    readonly objects: readonly LeasedObject[];
    readonly holder: string;
    /** Of this run: only with it can they be renewed and given back. */
    readonly token: string;
    readonly ttlMs: number;
  }): Promise<LeaseAnswer>;
  /** False where one of them is not this run's any more. */
  renewObjects(objects: readonly LeasedObject[], token: string, ttlMs: number): Promise<boolean>;
  releaseObjects(objects: readonly LeasedObject[], token: string): Promise<void>;
  /** All of the ranges or none; taking them again renews them. */
  takeRanges(request: {
    readonly ranges: readonly LeasedRange[];
    readonly holder: string;
    readonly ttlMs: number;
  }): Promise<LeaseAnswer>;
  releaseRanges(ranges: readonly LeasedRange[], holder: string): Promise<void>;
};

/** The identity under which a bucket is leased. */
export function leasedBucket({ endpoint }: { readonly endpoint?: string | undefined }, bucket: string): LeasedBucket {
  const at = createHash("sha256")
    .update(`${placeOf(endpoint)}\n${bucket}`)
    .digest("hex")
    .slice(0, 32);
  return at as LeasedBucket; // the only place where one is made
}

/** At AWS a bucket's name is its own everywhere, whatever endpoint it is reached by. */
function placeOf(endpoint: string | undefined): string {
  if (endpoint === undefined) return "aws";
  const { host } = new URL(endpoint);
  return /\.amazonaws\.com(\.cn)?$/.test(host) ? "aws" : host;
}

const CLOCK = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function ending(ttl) return string.format("%.0f", now + ttl) end`;

/** KEYS: objects and ranges of each bucket in turn. ARGV: holder, token, ttl, then key and role of each object. */
const TAKE_OBJECTS = `${CLOCK}
local holder, token, ttl = ARGV[1], ARGV[2], tonumber(ARGV[3])
local count = #KEYS / 2
for i = 1, count do
  local key, role = ARGV[2 + 2 * i], ARGV[3 + 2 * i]
  local held = redis.call("HGET", KEYS[2 * i - 1], key)
  if held then
    local till, by = string.match(held, "^(%d+) %a+ %S+ (.*)$")
    if till and tonumber(till) > now and by ~= holder then return by end
  end
  local ranges = redis.call("HGETALL", KEYS[2 * i])
  for at = 1, #ranges, 2 do
    local till, other, prefix = string.match(ranges[at + 1], "^(%d+) (%a+) (.*)$")
    if till and tonumber(till) > now and other ~= role and string.sub(key, 1, #prefix) == prefix then
      return (string.match(ranges[at], "^(.*) %d+$"))
    end
  end
end
for i = 1, count do
  redis.call("HSET", KEYS[2 * i - 1], ARGV[2 + 2 * i], ending(ttl) .. " " .. ARGV[3 + 2 * i] .. " " .. token .. " " .. holder)
  redis.call("PEXPIRE", KEYS[2 * i - 1], ttl * 20)
end
return ""`;

/** KEYS: the objects' hashes. ARGV: token, ttl (0: give back), then each key. */
const RENEW_OBJECTS = `${CLOCK}
local ttl, all = tonumber(ARGV[2]), 1
for i = 1, #KEYS do
  local key = ARGV[2 + i]
  local held = redis.call("HGET", KEYS[i], key)
  local till, role, token, holder = string.match(held or "", "^(%d+) (%a+) (%S+) (.*)$")
  if token ~= ARGV[1] then all = 0
  elseif ttl == 0 then redis.call("HDEL", KEYS[i], key)
  elseif tonumber(till) <= now then all = 0
  else
    redis.call("HSET", KEYS[i], key, ending(ttl) .. " " .. role .. " " .. token .. " " .. holder)
    redis.call("PEXPIRE", KEYS[i], ttl * 20)
  end
end
return all`;

/** KEYS: objects and ranges of each bucket in turn. ARGV: holder, ttl, then prefix and role of each range. */
const TAKE_RANGES = `${CLOCK}
local holder, ttl = ARGV[1], tonumber(ARGV[2])
local count = #KEYS / 2
for i = 1, count do
  local prefix, role = ARGV[1 + 2 * i], ARGV[2 + 2 * i]
  local objects = redis.call("HGETALL", KEYS[2 * i - 1])
  for at = 1, #objects, 2 do
    local till, other, by = string.match(objects[at + 1], "^(%d+) (%a+) %S+ (.*)$")
    if not till or tonumber(till) <= now then redis.call("HDEL", KEYS[2 * i - 1], objects[at])
    elseif other ~= role and string.sub(objects[at], 1, #prefix) == prefix then return by end
  end
  local ranges = redis.call("HGETALL", KEYS[2 * i])
  for at = 1, #ranges, 2 do
    local by = string.match(ranges[at], "^(.*) %d+$")
    local till, other, theirs = string.match(ranges[at + 1], "^(%d+) (%a+) (.*)$")
    if not till or tonumber(till) <= now then redis.call("HDEL", KEYS[2 * i], ranges[at])
    elseif by ~= holder and other ~= role then
      local length = math.min(#prefix, #theirs)
      if string.sub(prefix, 1, length) == string.sub(theirs, 1, length) then return by end
    end
  end
end
for i = 1, count do
  redis.call("HSET", KEYS[2 * i], holder .. " " .. i, ending(ttl) .. " " .. ARGV[2 + 2 * i] .. " " .. ARGV[1 + 2 * i])
end
return ""`;

/** KEYS: the ranges' hashes, in the order in which they were taken. ARGV: holder. */
const RELEASE_RANGES = `
for i = 1, #KEYS do redis.call("HDEL", KEYS[i], ARGV[1] .. " " .. i) end
return 1`;

const answer = (by: unknown): LeaseAnswer => (by === "" ? { held: true } : { held: false, by: String(by) });

export function createLeases(redis: RedisClient, keys: RedisKeys): Leases {
  const pairs = (places: readonly { readonly bucket: LeasedBucket }[]): string[] =>
    places.flatMap(({ bucket }) => [keys.leasedObjects(bucket), keys.leasedRanges(bucket)]);
  const renew = async (objects: readonly LeasedObject[], token: string, ttlMs: number): Promise<boolean> => {
    const hashes = objects.map(({ bucket }) => keys.leasedObjects(bucket));
    const names = objects.map(({ key }) => key);
    return (await redis.eval(RENEW_OBJECTS, hashes.length, ...hashes, token, ttlMs, ...names)) === 1;
  };
  return {
    async takeObjects({ objects, holder, token, ttlMs }) {
      const all = pairs(objects);
      const named = objects.flatMap(({ key, role }) => [key, role]);
      return answer(await redis.eval(TAKE_OBJECTS, all.length, ...all, holder, token, ttlMs, ...named));
    },
    renewObjects: renew,
    async releaseObjects(objects, token) {
      await renew(objects, token, 0);
    },
    async takeRanges({ ranges, holder, ttlMs }) {
      const all = pairs(ranges);
      const named = ranges.flatMap(({ prefix, role }) => [prefix, role]);
      return answer(await redis.eval(TAKE_RANGES, all.length, ...all, holder, ttlMs, ...named));
    },
    async releaseRanges(ranges, holder) {
      const hashes = ranges.map(({ bucket }) => keys.leasedRanges(bucket));
      await redis.eval(RELEASE_RANGES, hashes.length, ...hashes, holder);
    },
  };
}
