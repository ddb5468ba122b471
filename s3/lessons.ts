/** What a store turned out to lack, or to do in a way of its own, while it was worked with; for logs and people. */
export const LESSONS = {
  "bulk-delete-md5": "takes DeleteObjects only with Content-MD5, which it is sent from now on",
  "bulk-delete-missing": "has no DeleteObjects: objects are deleted one by one from now on",
  "delete-dates-unknown": "takes no date and size in a delete, so that the ETag alone is compared from now on",
  "digests-wanted": "takes uploads only with a digest, which they carry from now on",
  "md5-wanted": "takes uploads only with Content-MD5, so they go in parts, which have one, from now on",
  "bare-if-match": "takes the quotes of a write's If-Match for part of the ETag, which goes without them from now on",
  "etags-missing": "answers HEAD without an ETag or a date, which proves nothing and is not believed",
  "versions-ignored": "answers with another version than the one that was asked for, which is not believed",
  "acls-unread":
    "does not tell these credentials who may access an object (s3:GetObjectAcl), so that copies and moves cannot say where they leave an access list behind",
  "locks-unread":
    "does not say whether its buckets have Object Lock (s3:GetBucketObjectLockConfiguration), so that batches cannot say where they leave a lock behind",
  "prefixes-ignored": "lists other keys than those of the prefix that was asked for, which is not believed",
} as const;

export type Lesson = keyof typeof LESSONS;

/** What was learned of one store; each lesson is told once. */
export type Lessons = {
  readonly has: (lesson: Lesson) => boolean;
  readonly learn: (lesson: Lesson) => void;
  readonly all: () => readonly Lesson[];
};

export function createLessons(onLesson?: (lesson: Lesson) => void): Lessons {
  const learned = new Set<Lesson>();
  return {
    has: (lesson) => learned.has(lesson),
    learn(lesson) {
      if (learned.has(lesson)) return;
      learned.add(lesson);
      onLesson?.(lesson);
    },
    all: () => [...learned],
  };
}
