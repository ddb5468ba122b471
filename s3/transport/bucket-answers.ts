import { LRUCache } from "lru-cache";

/** Whether the objects of a bucket may have something: it may not be `known`, where nobody may ask. */
export type MayHave = "yes" | "no" | "unknown";

/** What buckets answered about all their objects, ten minutes ago at most. */
export type BucketAnswers = {
  readonly get: (bucket: string) => MayHave | undefined;
  readonly set: (bucket: string, answer: MayHave) => void;
  /** What is known, else what the question tells. Many who need it at once ask once. */
  readonly ask: (bucket: string, question: () => Promise<MayHave>) => Promise<MayHave>;
};

export function createBucketAnswers(): BucketAnswers {
  const answers = new LRUCache<string, MayHave>({ max: 1_000, ttl: 600_000 });
  const asked = new Map<string, Promise<MayHave>>();
  return {
    get: (bucket) => answers.get(bucket),
    set: (bucket, answer) => void answers.set(bucket, answer),
    async ask(bucket, question) {
      for (let known = answers.get(bucket); ; known = answers.get(bucket)) {
        if (known !== undefined) return known;
        const other = asked.get(bucket);
        if (other === undefined) break;
        // Why it failed is its asker's; this one then asks for itself.
        await other.catch(() => undefined);
      }
      const answer = question();
      asked.set(bucket, answer);
      try {
        answers.set(bucket, await answer);
        return await answer;
      } finally {
        asked.delete(bucket);
      }
    },
  };
}
