import { LRUCache } from "lru-cache";
import { checkBucketReach, checkPolicy, type PolicyActivity } from "../credentials/policy.ts";
import type { Connection } from "../credentials/connection.ts";
import type { Profiles, ResolvedProfile } from "../credentials/resolved-profile.ts";
import type { Access } from "../model/access.ts";
import { ActivityError } from "../model/activity-error.ts";
import type { CredentialsRef } from "../model/entities.ts";
import { createS3, type OpenS3 } from "./create.ts";
import type { RequestTerms } from "./terms.ts";
import { type Gate, guardS3, type PooledS3 } from "./guard.ts";

/** What a store is opened for. */
export type Purpose = {
  /** What the profile's policy has to allow for every request. */
  readonly activity: PolicyActivity;
  /**
   * What the job's input names: nothing else is touched, whatever evidence or anything else read from Redis says.
   * Absent: everything that the policy allows, as batches need it.
   */
  readonly accesses?: readonly Access[];
  /** What the job says of all its requests. */
  readonly terms?: RequestTerms | undefined;
};

/** One open store for each connection: sockets, signing keys and regions are shared by all its jobs. */
export type S3Pool = {
  /** The store of these credentials, bound to the purpose. The same object for the same profile where no accesses and no terms are named. */
  get(credentials: CredentialsRef | undefined, purpose: Purpose): Promise<PooledS3>;
  close(): Promise<void>;
};

/** Sealed credentials open a store each; beyond so many the least used is closed. */
const MAX_OPEN = 256;

/** These list by themselves; every other activity lists only where list-objects may. */
const LISTING: ReadonlySet<string> = new Set(["list-objects", "list-prefixes"]);

export function createS3Pool(profiles: Profiles, options: Parameters<typeof createS3>[1]): S3Pool {
  const closing = new Set<Promise<void>>();
  const open = new LRUCache<string, OpenS3>({
    max: MAX_OPEN,
    dispose: (s3) => {
      const closed = s3.close().finally(() => closing.delete(closed));
      closing.add(closed);
    },
  });
  const connect = (connection: Connection): OpenS3 => {
    const known = open.get(connection.name);
    if (known !== undefined) return known;
    const s3 = createS3(connection, options);
    open.set(connection.name, s3);
    return s3;
  };
  const bound = new WeakMap<OpenS3, Map<PolicyActivity, PooledS3>>();
  const boundTo = (s3: OpenS3, profile: ResolvedProfile, activity: PolicyActivity): PooledS3 => {
    const views = bound.get(s3) ?? new Map<PolicyActivity, PooledS3>();
    bound.set(s3, views);
    const view = views.get(activity) ?? guardS3(s3, gateOf(profile, activity));
    views.set(activity, view);
    return view;
  };
  return {
    async get(credentials, { activity, accesses, terms }) {
      const profile = await profiles.resolve(credentials);
      const s3 = connect(profile.connection);
      const view = terms === undefined ? s3 : s3.under(terms);
      if (accesses === undefined)
        return view === s3 ? boundTo(s3, profile, activity) : guardS3(view, gateOf(profile, activity));
      const own: Access[] = [];
      for (const access of accesses)
        if ((await profiles.resolve(access.credentials)).connection.name === profile.connection.name) own.push(access);
      return guardS3(view, within(own, gateOf(profile, activity)));
    },
    async close() {
      open.clear();
      await Promise.all(closing);
    },
  };
}

/** The profile's policy, asked about one activity. */
function gateOf(profile: ResolvedProfile, activity: PolicyActivity): Gate {
  const listing = LISTING.has(activity) ? activity : "list-objects";
  return {
    touch: (access) => checkPolicy(profile, activity, access),
    list: (access) => checkPolicy(profile, listing, access),
    reach: (bucket) => checkBucketReach(profile, activity, bucket),
  };
}

/** Lets only through what a job's input names, and then asks the policy. */
function within(accesses: readonly Access[], gate: Gate): Gate {
  const refuseOthers = (touched: Access): void => {
    if (accesses.some((access) => isWithin(access, touched))) return;
    const { bucket, key, prefix } = touched;
    const named = bucket === undefined ? "the account" : `s3://${bucket}/${key ?? prefix ?? ""}`;
    throw new ActivityError("PolicyDenied", `expected a request for what the job's input names, got one for ${named}`);
  };
  return {
    touch(access) {
      refuseOthers(access);
      gate.touch(access);
    },
    list(access) {
      refuseOthers(access);
      gate.list(access);
    },
    reach(bucket) {
      if (!accesses.some((access) => access.bucket === bucket)) refuseOthers({ bucket });
      gate.reach(bucket);
    },
  };
}

function isWithin(access: Access, { bucket, key, prefix }: Access): boolean {
  if (access.bucket !== bucket) return false;
  const named = key ?? prefix;
  if (named === undefined) return access.key === undefined && access.prefix === undefined;
  if (access.key !== undefined) return access.key === key;
  return access.prefix !== undefined && named.startsWith(access.prefix);
}
