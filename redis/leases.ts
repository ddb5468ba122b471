import { createHash } from "node:crypto";
import type { RedisClient } from "./connection/client.ts";
import type { RedisKeys } from "./keys.ts";
import { loadScript } from "./scripts/load.ts";
import { replyText, runScript, type ScriptReply } from "./scripts/run.ts";

/*
 * Who is about to delete what. A move that crosses another one would take the copy that the other just made for its own source: the bytes are equal,
 * and a store conditions a delete on nothing else. Two of ours can keep out of each other's way, because both ask here first.
 *
 * For each bucket, told by its endpoint and name and not by a profile, there are two hashes in Redis:
 *   objects   field: key;                  value: `<until> <role> <token> <holder>`   a single job, from its pin to its delete
 *   ranges    field: `<holder> <number>`;  value: `<until> <role> <prefix>`           a batch, for as long as it may delete or write
 * `until` is milliseconds of Redis' own clock; what is past counts as free. `role` is `deletes` for a source, `writes` for a destination, and `fills` for one
 * where nothing may be replaced and the store does not see to it. Two single jobs never hold one object at once. A range that deletes keeps out whatever
 * writes into it, and the other way round; one that fills keeps out everything, because between its look and its copy others' copies would be taken over.
 */

/** A bucket wherever it is reached from: profiles that name one endpoint and bucket mean one bucket. */
export type LeasedBucket = string & { readonly __leasedBucket: true };

/** `deletes`: a source of which objects will be deleted. `writes`: a destination. `fills`: one where a look alone keeps what is there. */
export type LeaseRole = "deletes" | "writes" | "fills";

export type LeasedObject = { readonly bucket: LeasedBucket; readonly key: string; readonly role: LeaseRole };
export type LeasedRange = { readonly bucket: LeasedBucket; readonly prefix: string; readonly role: LeaseRole };

/** Taken, or who is in the way, such as `batch b1` or `move-object job 7`. */
export type LeaseAnswer =
  /** `again`: an earlier run of the same holder had not given them back, so that what it sent may still be on its way. */
  { readonly held: true; readonly again: boolean } | { readonly held: false; readonly by: string };

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

/** This machine by its other names. */
const LOOPBACK = /^(localhost|127(\.\d+){3}|0\.0\.0\.0|\[::1?\])$/;

/** At AWS a bucket's name is its own everywhere, whatever endpoint it is reached by. A name may end with the dot of the root. */
function placeOf(endpoint: string | undefined): string {
  if (endpoint === undefined) return "aws";
  const { hostname, port } = new URL(endpoint);
  const host = hostname.replace(/\.$/, "");
  if (/\.amazonaws\.com(\.cn)?$/.test(host)) return "aws";
  const name = LOOPBACK.test(host) ? "localhost" : host;
  return port === "" ? name : `${name}:${port}`;
}

const scriptKeys = ["buckets"] as const;
const takeObjects = loadScript(new URL("./leases/take-objects.lua", import.meta.url), {
  keys: scriptKeys,
  args: ["holder", "token", "ttl", "objects"],
});
const renewObjects = loadScript(new URL("./leases/renew-objects.lua", import.meta.url), {
  keys: scriptKeys,
  args: ["token", "ttl", "objects"],
});
const takeRanges = loadScript(new URL("./leases/take-ranges.lua", import.meta.url), {
  keys: scriptKeys,
  args: ["holder", "ttl", "ranges"],
});
const releaseRanges = loadScript(new URL("./leases/release-ranges.lua", import.meta.url), {
  keys: scriptKeys,
  args: ["holder"],
});

/** No holder is called `=`: an earlier run of this holder had them until now. */
const AGAIN = "=";

/** Who is in the way, where somebody is. */
function answer(reply: ScriptReply): LeaseAnswer {
  const by = replyText(reply);
  return by === "" || by === AGAIN ? { held: true, again: by === AGAIN } : { held: false, by };
}

export function createLeases(redis: RedisClient, keys: RedisKeys): Leases {
  const pairs = (places: readonly { readonly bucket: LeasedBucket }[]): string[] =>
    places.flatMap(({ bucket }) => [keys.leasedObjects(bucket), keys.leasedRanges(bucket)]);
  const renew = async (objects: readonly LeasedObject[], token: string, ttlMs: number): Promise<boolean> => {
    const buckets = objects.map(({ bucket }) => keys.leasedObjects(bucket));
    const names = objects.map(({ key }) => key);
    return (await runScript(redis, renewObjects, { buckets }, { token, ttl: ttlMs, objects: names })) === 1;
  };
  return {
    async takeObjects({ objects, holder, token, ttlMs }) {
      const named = objects.flatMap(({ key, role }) => [key, role]);
      const args = { holder, token, ttl: ttlMs, objects: named };
      return answer(await runScript(redis, takeObjects, { buckets: pairs(objects) }, args));
    },
    renewObjects: renew,
    async releaseObjects(objects, token) {
      await renew(objects, token, 0);
    },
    async takeRanges({ ranges, holder, ttlMs }) {
      const named = ranges.flatMap(({ prefix, role }) => [prefix, role]);
      const args = { holder, ttl: ttlMs, ranges: named };
      return answer(await runScript(redis, takeRanges, { buckets: pairs(ranges) }, args));
    },
    async releaseRanges(ranges, holder) {
      const buckets = ranges.map(({ bucket }) => keys.leasedRanges(bucket));
      await runScript(redis, releaseRanges, { buckets }, { holder });
    },
  };
}
