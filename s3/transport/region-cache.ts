import { LRUCache } from "lru-cache";

/** Buckets whose region is remembered. */
const MAX_BUCKETS = 10_000;
/** A bucket deleted and made anew elsewhere is found again after this. */
const FRESH_MS = 60 * 60_000;

/** Where buckets live, as far as answers told; a bucket absent from it is tried in the profile's region. */
export type RegionCache = {
  readonly get: (bucket: string) => string | undefined;
  readonly set: (bucket: string, region: string) => void;
  readonly delete: (bucket: string) => void;
};

export function createRegionCache(): RegionCache {
  const regions = new LRUCache<string, string>({ max: MAX_BUCKETS, ttl: FRESH_MS });
  return {
    get: (bucket) => regions.get(bucket),
    set: (bucket, region) => void regions.set(bucket, region),
    delete: (bucket) => void regions.delete(bucket),
  };
}
