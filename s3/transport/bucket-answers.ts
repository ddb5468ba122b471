import { LRUCache } from "lru-cache";

/** Whether the objects of a bucket may have something: it may not be `known`, where nobody may ask. */
export type MayHave = "yes" | "no" | "unknown";

/** What buckets answered about all their objects, ten minutes ago at most. */
export type BucketAnswers = {
  readonly get: (bucket: string) => MayHave | undefined;
  readonly set: (bucket: string, answer: MayHave) => void;
};

export function createBucketAnswers(): BucketAnswers {
  const answers = new LRUCache<string, MayHave>({ max: 1_000, ttl: 600_000 });
  return { get: (bucket) => answers.get(bucket), set: (bucket, answer) => void answers.set(bucket, answer) };
}
