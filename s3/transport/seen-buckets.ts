import { LRUCache } from "lru-cache";

/** Buckets of which something was known half a minute ago at most, such as that they exist: saves asking for it again. */
export type SeenBuckets = { readonly has: (bucket: string) => boolean; readonly add: (bucket: string) => void };

export function createSeenBuckets(): SeenBuckets {
  const seen = new LRUCache<string, true>({ max: 1_000, ttl: 30_000 });
  return { has: (bucket) => seen.has(bucket), add: (bucket) => void seen.set(bucket, true) };
}
