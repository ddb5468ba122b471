import { type Check, expectCode, expectEqual, expectThat, put } from "./check.ts";

const NOWHERE = "bucketline-conformance-no-such-bucket-7f3a";

export const bucketChecks: readonly Check[] = [
  {
    activity: "validate-credentials",
    claim: "accepts the keys",
    run: async ({ run }) => void (await run("validate-credentials", {})),
  },
  {
    activity: "validate-credentials",
    claim: "refuses a wrong secret key",
    needs: "signatures",
    run: ({ run }) =>
      expectCode(run("validate-credentials", { credentials: "wrong" }), "SignatureDoesNotMatch", "AccessDenied"),
  },
  {
    activity: "create-bucket",
    claim: "makes buckets",
    run: async ({ run, bucket, other, odd }) => {
      for (const name of [bucket, other, odd]) {
        const made = await run("create-bucket", { bucket: name });
        expectEqual(made.bucket.name, name, "the bucket");
      }
    },
  },
  {
    activity: "create-bucket",
    claim: "counts one that is ours already as made",
    run: async ({ run, bucket }) => void (await run("create-bucket", { bucket })),
  },
  {
    activity: "head-bucket",
    claim: "finds a bucket and its region",
    run: async ({ run, bucket }) => {
      const { region } = (await run("head-bucket", { bucket })).bucket;
      expectThat(region !== undefined && region !== "", "a region");
    },
  },
  {
    activity: "head-bucket",
    claim: "says NoSuchBucket",
    run: ({ run }) => expectCode(run("head-bucket", { bucket: NOWHERE }), "NoSuchBucket"),
  },
  {
    activity: "list-buckets",
    claim: "lists every bucket once",
    run: async ({ run, bucket, other }) => {
      const names = (await run("list-buckets", {})).buckets.map(({ name }) => name);
      for (const name of [bucket, other]) expectEqual(names.filter((one) => one === name).length, 1, `of ${name}`);
    },
  },
  {
    activity: "list-buckets",
    claim: "lists those with a prefix",
    run: async ({ run, bucket }) => {
      const { buckets } = await run("list-buckets", { prefix: bucket });
      expectEqual(
        buckets.map(({ name }) => name),
        [bucket],
        "the list",
      );
    },
  },
];

/** After these there may be nothing left to check. */
export const lastChecks: readonly Check[] = [
  {
    activity: "delete-bucket",
    claim: "refuses one that holds objects",
    run: async (subject) => {
      await put(subject, "x", { bucket: subject.other, key: "in-the-way" });
      await expectCode(subject.run("delete-bucket", { bucket: subject.other }), "BucketNotEmpty");
    },
  },
  {
    activity: "delete-bucket",
    claim: "deletes an empty one",
    run: async ({ run, spareBucket }) => {
      const bucket = spareBucket();
      await run("create-bucket", { bucket });
      await run("delete-bucket", { bucket });
      await expectCode(run("head-bucket", { bucket }), "NoSuchBucket");
    },
  },
  {
    activity: "delete-bucket",
    claim: "says NoSuchBucket",
    run: ({ run }) => expectCode(run("delete-bucket", { bucket: NOWHERE }), "NoSuchBucket"),
  },
];

export const missing = { bucket: NOWHERE, key: "x" };
