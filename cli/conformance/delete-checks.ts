import { missing } from "./bucket-checks.ts";
import { type Check, contentOf, expectCode, expectContent, expectEqual, expectGone, expectThat, put } from "./check.ts";
import { forOddKeys } from "./odd-keys.ts";

const WRONG_ETAG = "0".repeat(32);

export const deleteChecks: readonly Check[] = [
  {
    activity: "delete-object",
    claim: "deletes, also what is gone already",
    run: async (subject) => {
      const object = { bucket: subject.bucket, key: "short-lived" };
      await put(subject, "x", object);
      await subject.run("delete-object", { object });
      await expectGone(subject, object);
      await subject.run("delete-object", { object });
    },
  },
  {
    activity: "delete-object",
    claim: "deletes the content that was named only (ifMatch)",
    proves: ["conditional-delete", "conditional-bulk-delete"],
    run: async (subject) => {
      const object = { bucket: subject.bucket, key: "guarded" };
      const { etag } = await put(subject, "guarded", object);
      await expectCode(subject.run("delete-object", { object, ifMatch: WRONG_ETAG }), "PreconditionFailed");
      await expectContent(subject, object, "guarded");
      await subject.run("delete-object", { object, ifMatch: etag });
      await expectGone(subject, object);
    },
  },
  {
    activity: "delete-object",
    claim: "deletes odd keys",
    run: async (subject) =>
      forOddKeys(subject.oddKeys, async (key) => {
        const object = { bucket: subject.odd, key };
        await subject.run("delete-object", { object });
        await expectGone(subject, object);
      }),
  },
  {
    activity: "delete-object",
    claim: "says NoSuchBucket",
    run: ({ run }) => expectCode(run("delete-object", { object: missing }), "NoSuchBucket"),
  },
  {
    activity: "delete-object",
    claim: "hides an object behind a marker in a versioned bucket, and deletes one version",
    needs: "versions",
    run: async (subject) => {
      const { run, versioned: bucket = "" } = subject;
      const object = { bucket, key: "versioned" };
      const { versionId: first } = await put(subject, "first", object);
      await put(subject, "second", object);
      expectThat(first !== undefined, "a version id");
      const { deleteMarker } = await run("delete-object", { object });
      expectEqual(deleteMarker, true, "deleteMarker");
      await expectGone(subject, object);
      const version = { ...object, ...(first !== undefined && { versionId: first }) };
      expectEqual(String(await contentOf(subject, version)), "first", "the first version");
      await run("delete-object", { object: version });
      await expectCode(run("get-object", { object: version }), "NoSuchVersion", "NoSuchKey");
    },
  },
];
