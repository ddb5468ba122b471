import { ActivityError } from "../../model/activity-error.ts";
import { missing } from "./bucket-checks.ts";
import { type Check, expectCode, expectEqual, put, type Subject } from "./check.ts";
import { controlKeys } from "./odd-keys.ts";

/** More than the 1,000 keys of one page. */
const MANY = 1_005;
const name = (index: number) => `many/${String(index).padStart(5, "0")}`;

async function keysOf(
  { run, bucket }: Pick<Subject, "run" | "bucket">,
  input: { prefix: string; startAfter?: string; limit?: number },
) {
  return (await run("list-objects", { bucket, ...input })).objects.map(({ key }) => key);
}

/** Whether a key is there. A 404 that is not the store's own, as a router gives it that such a key confuses, says no too. */
async function isFound({ bucket, s3, signal }: Subject, key: string): Promise<boolean> {
  try {
    return (await s3.find({ bucket, key }, { signal })) !== undefined;
  } catch (error) {
    if (error instanceof ActivityError && error.httpStatus === 404) return false;
    throw error;
  }
}

/** S3 lists in the order of UTF-8 bytes. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
const inOrder = (keys: readonly string[]) => keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

export const listChecks: readonly Check[] = [
  {
    activity: "list-objects",
    claim: "lists odd keys byte for byte, in order",
    run: async ({ run, odd, oddKeys }) =>
      expectEqual(await keysOf({ run, bucket: odd }, { prefix: "" }), inOrder(oddKeys), "the keys"),
  },
  {
    activity: "list-objects",
    claim: "lists keys with control characters byte for byte",
    optional: true,
    proves: ["url-encoded-listing"],
    run: async (subject) => {
      const there: string[] = [];
      for (const key of controlKeys.map((one) => `control/${one}`)) {
        if (await isFound(subject, key)) there.push(key);
      }
      const listed = await keysOf(subject, { prefix: "control/" });
      // A listing that is not encoded cannot say them: what XML does not carry comes as another character.
      if (listed.length === there.length && listed.some((key) => key.includes("\uFFFD")))
        throw new ActivityError("UnprovenResponse", "expected the keys as they are, the listing replaces characters");
      expectEqual(inOrder(listed), inOrder(there), "the keys");
    },
  },
  {
    activity: "list-objects",
    claim: `lists all of ${MANY.toLocaleString("en-US")} keys, page by page`,
    run: async (subject) => {
      const { bucket, producer, signal } = subject;
      await put(subject, "one of many", { bucket, key: name(0) });
      const others = Array.from({ length: MANY - 1 }, (_, index) => name(index + 1));
      const object = { bucket, key: name(0) };
      const jobs = await producer.enqueueMany(
        "copy-object",
        others.map((key) => ({ object, destination: { bucket, key } })),
      );
      await Promise.all(jobs.map((job) => job.result({ timeout: 120_000, signal })));
      const keys = await keysOf(subject, { prefix: "many/" });
      expectEqual(keys.length, MANY, "keys:");
      expectEqual(keys, [name(0), ...others], "the keys in order");
    },
  },
  {
    activity: "list-objects",
    claim: "starts after a key and ends at a limit",
    run: async (subject) => {
      const keys = await keysOf(subject, { prefix: "many/", startAfter: name(9), limit: 3 });
      expectEqual(keys, [name(10), name(11), name(12)], "the keys");
    },
  },
  {
    activity: "list-objects",
    claim: "lists nothing under a prefix that nothing has",
    run: async (subject) => expectEqual(await keysOf(subject, { prefix: "none/" }), [], "the keys"),
  },
  {
    activity: "list-objects",
    claim: "says NoSuchBucket",
    run: ({ run }) => expectCode(run("list-objects", { bucket: missing.bucket }), "NoSuchBucket"),
  },
  {
    activity: "list-prefixes",
    claim: "lists one level, all levels, and other delimiters",
    run: async (subject) => {
      const { run, bucket } = subject;
      for (const key of ["tree/a/1", "tree/a/b/2", "tree/c d+/3", "tree/4", "tree/x-y-z"])
        await put(subject, "x", { bucket, key });
      const prefixes = async (more: { delimiter?: string; recursive?: boolean }) =>
        (await run("list-prefixes", { bucket, prefix: "tree/", ...more })).prefixes.map(({ prefix }) => prefix);
      expectEqual(await prefixes({}), ["tree/a/", "tree/c d+/"], "one level");
      const all = ["tree/a/", "tree/a/b/", "tree/c d+/"];
      expectEqual((await prefixes({ recursive: true })).toSorted(), all, "all levels");
      expectEqual(await prefixes({ delimiter: "-" }), ["tree/x-"], "by another delimiter");
    },
  },
  {
    activity: "list-prefixes",
    claim: "says NoSuchBucket",
    run: ({ run }) => expectCode(run("list-prefixes", { bucket: missing.bucket }), "NoSuchBucket"),
  },
];
