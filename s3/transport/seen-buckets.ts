import { LRUCache } from "lru-cache";

/** Buckets known to exist a moment ago: saves the HeadBucket that tells a missing object from a missing bucket. */
export type SeenBuckets = { readonly has: (bucket: string) => boolean; readonly add: (bucket: string) => void };

export function createSeenBuckets(): SeenBuckets {
  const seen = new LRUCache<string, true>({ max: 1_000, ttl: 30_000 });
  return { has: (bucket) => seen.has(bucket), add: (bucket) => void seen.set(bucket, true) };
}
