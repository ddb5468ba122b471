import type { ObjectDetails } from "../../model/entities.ts";
import { missing } from "./bucket-checks.ts";
import {
  bigContent,
  type Check,
  expectCode,
  expectContent,
  expectEqual,
  expectGone,
  expectThat,
  put,
} from "./check.ts";
import { forOddKeys } from "./odd-keys.ts";

const metadata = { author: "conformance" };
const tags = { colour: "dark red" };
const ANOTHER_ETAG = "0".repeat(32);

const pinOf = ({ bucket, key, size, etag, lastModified }: ObjectDetails) => ({ bucket, key, size, etag, lastModified });

export const copyChecks: readonly Check[] = [
  {
    activity: "copy-object",
    claim: "carries content, content type and metadata to another bucket",
    run: async (subject) => {
      const { run, bucket, other } = subject;
      await put(subject, "to copy", { bucket, key: "copied", contentType: "text/x-copied", metadata });
      const done = await run("copy-object", { object: { bucket, key: "copied" }, destination: { bucket: other } });
      expectThat(done.verified !== undefined && !done.skipped, "a verified copy");
      const { object } = await run("head-object", { object: { bucket: other, key: "copied" } });
      expectEqual([object.contentType, object.metadata], ["text/x-copied", metadata], "content type and metadata");
      await expectContent(subject, { bucket: other, key: "copied" }, "to copy");
    },
  },
  {
    activity: "copy-object",
    claim: "carries tags",
    optional: true,
    needs: "tags",
    run: async (subject) => {
      const { run, bucket, other, s3, signal } = subject;
      await put(subject, "tagged", { bucket, key: "copy-tagged", tags });
      await run("copy-object", { object: { bucket, key: "copy-tagged" }, destination: { bucket: other } });
      expectEqual(await s3.tags({ bucket: other, key: "copy-tagged" }, { signal }), tags, "the tags");
    },
  },
  {
    activity: "copy-object",
    claim: "replaces content type and metadata where asked, in place too",
    run: async (subject) => {
      const { run, bucket, other } = subject;
      const fresh = { contentType: "text/x-new", metadata: { version: "2" } };
      const object = { bucket, key: "copied" };
      for (const destination of [{ bucket: other, key: "replaced" }, { bucket }]) {
        await run("copy-object", { object, destination, ...fresh });
        const { object: now } = await run("head-object", { object: { key: "copied", ...destination } });
        expectEqual([now.contentType, now.metadata], [fresh.contentType, fresh.metadata], "content type and metadata");
      }
      await expectContent(subject, object, "to copy");
    },
  },
  {
    activity: "copy-object",
    claim: "copies in parts above the threshold, metadata included",
    proves: ["part-copy", "checksums-kept"],
    run: async (subject) => {
      const { run, bucket, other } = subject;
      const done = await run("copy-object", { object: { bucket, key: "big" }, destination: { bucket: other } });
      expectThat(done.verified !== undefined, "a verified copy");
      const { object } = await run("head-object", { object: { bucket: other, key: "big" } });
      const { object: source } = await run("head-object", { object: { bucket, key: "big" } });
      expectEqual([object.size, object.metadata], [source.size, source.metadata], "size and metadata");
      await expectContent(subject, { bucket: other, key: "big" }, bigContent());
    },
  },
  {
    activity: "copy-object",
    claim: "carries tags in parts",
    optional: true,
    needs: "tags",
    run: async (subject) => {
      const { run, bucket, other, s3, signal } = subject;
      await put(subject, bigContent(), { bucket, key: "big-tagged", tags });
      await run("copy-object", { object: { bucket, key: "big-tagged" }, destination: { bucket: other } });
      expectEqual(await s3.tags({ bucket: other, key: "big-tagged" }, { signal }), tags, "the tags");
    },
  },
  {
    activity: "copy-object",
    claim: "heeds onConflict: fail, skip, skip-identical",
    proves: ["conditional-copy-write"],
    run: async (subject) => {
      const { run, bucket, other } = subject;
      const object = { bucket, key: "conflict" };
      const destination = { bucket: other, key: "conflict" };
      await put(subject, "source", object);
      await put(subject, "in the way", destination);
      await expectCode(run("copy-object", { object, destination, onConflict: "fail" }), "DestinationExists");
      expectEqual((await run("copy-object", { object, destination, onConflict: "skip" })).skipped, true, "skipped");
      await expectContent(subject, destination, "in the way");
      await run("copy-object", { object, destination, onConflict: "skip-identical" });
      await expectContent(subject, destination, "source");
      const again = await run("copy-object", { object, destination, onConflict: "skip-identical" });
      expectEqual(again.skipped, true, "skipped where identical");
    },
  },
  {
    activity: "copy-object",
    claim: "refuses a source that is not the one that was pinned",
    proves: ["conditional-copy"],
    run: async ({ s3, signal, bucket, other }) => {
      const pin = { ...pinOf(await s3.head({ bucket, key: "conflict" }, { signal })), etag: ANOTHER_ETAG };
      await expectCode(s3.copy({ source: pin, bucket: other, key: "pinned" }, { signal }), "SourceChanged");
    },
  },
  {
    activity: "copy-object",
    claim: "refuses another source than the pinned one in parts too",
    proves: ["conditional-part-copy"],
    run: async ({ s3, signal, bucket, other }) => {
      const pin = { ...pinOf(await s3.head({ bucket, key: "big" }, { signal })), etag: `${ANOTHER_ETAG}-3` };
      await expectCode(s3.copy({ source: pin, bucket: other, key: "pinned" }, { signal }), "SourceChanged");
    },
  },
  {
    activity: "copy-object",
    claim: "copies odd keys",
    run: async (subject) =>
      forOddKeys(subject.oddKeys, async (key) => {
        const { odd, other } = subject;
        await subject.run("copy-object", { object: { bucket: odd, key }, destination: { bucket: other } });
        await expectContent(subject, { bucket: other, key }, `content of ${key}`);
      }),
  },
  {
    activity: "copy-object",
    claim: "says NoSuchKey and NoSuchBucket",
    run: async ({ run, bucket, other }) => {
      const nowhere = { bucket: missing.bucket };
      const object = { bucket, key: "no-such-key" };
      await expectCode(run("copy-object", { object, destination: { bucket: other } }), "NoSuchKey");
      await expectCode(run("copy-object", { object: missing, destination: { bucket: other } }), "NoSuchBucket");
      await expectCode(run("copy-object", { object: { bucket, key: "copied" }, destination: nowhere }), "NoSuchBucket");
    },
  },
  {
    activity: "copy-object",
    claim: "copies one version",
    needs: "versions",
    run: async (subject) => {
      const { run, versioned: bucket = "", other } = subject;
      const object = { bucket, key: "copy-version" };
      const { versionId = "" } = await put(subject, "first", object);
      await put(subject, "second", object);
      await run("copy-object", { object: { ...object, versionId }, destination: { bucket: other } });
      await expectContent(subject, { bucket: other, key: "copy-version" }, "first");
    },
  },
];

export const moveChecks: readonly Check[] = [
  {
    activity: "move-object",
    claim: "moves to another bucket, and says with which guarantee",
    proves: ["conditional-delete"],
    run: async (subject) => {
      const { run, bucket, other, s3 } = subject;
      const object = { bucket, key: "moved" };
      await put(subject, "to move", { ...object, metadata });
      const done = await run("move-object", { object, destination: { bucket: other } });
      const guarantee = s3.connection.conditionalDelete ? "conditional" : "best-effort";
      expectEqual(done.guarantee, guarantee, "the guarantee");
      await expectContent(subject, { bucket: other, key: "moved" }, "to move");
      await expectGone(subject, object);
    },
  },
  {
    activity: "move-object",
    claim: "moves in parts above the threshold",
    proves: ["part-copy"],
    run: async (subject) => {
      const { run, bucket, other } = subject;
      const object = { bucket, key: "big" };
      await run("move-object", { object, destination: { bucket: other, key: "big-moved" } });
      await expectContent(subject, { bucket: other, key: "big-moved" }, bigContent());
      await expectGone(subject, object);
    },
  },
  {
    activity: "move-object",
    claim: "loses nothing when an object is moved onto itself",
    run: async (subject) => {
      const { run, bucket } = subject;
      await run("move-object", { object: { bucket, key: "copied" }, destination: { bucket } });
      await expectContent(subject, { bucket, key: "copied" }, "to copy");
    },
  },
  {
    activity: "move-object",
    claim: "keeps the source where the proof is weaker than asked, or the destination is taken",
    run: async (subject) => {
      const { run, bucket, other } = subject;
      const object = { bucket, key: "conflict" };
      const taken = { bucket: other, key: "copied" };
      await expectCode(run("move-object", { object, destination: taken, onConflict: "fail" }), "DestinationExists");
      await expectContent(subject, object, "source");
    },
  },
  {
    activity: "move-object",
    claim: "moves odd keys",
    run: async (subject) =>
      forOddKeys(subject.oddKeys, async (key) => {
        const object = { bucket: subject.other, key };
        const destination = { bucket: subject.odd, key: `moved/${key}` };
        await subject.run("move-object", { object, destination });
        await expectContent(subject, destination, `content of ${key}`);
        await expectGone(subject, object);
      }),
  },
  {
    activity: "move-object",
    claim: "says NoSuchKey and NoSuchBucket",
    run: async ({ run, bucket, other }) => {
      const object = { bucket, key: "no-such-key" };
      await expectCode(run("move-object", { object, destination: { bucket: other } }), "NoSuchKey");
      const nowhere = { bucket: missing.bucket };
      await expectCode(run("move-object", { object: { bucket, key: "copied" }, destination: nowhere }), "NoSuchBucket");
    },
  },
  {
    activity: "move-object",
    claim: "keeps older versions of a source in a versioned bucket",
    needs: "versions",
    run: async (subject) => {
      const { run, versioned: bucket = "", other } = subject;
      const object = { bucket, key: "move-version" };
      const { versionId = "" } = await put(subject, "first", object);
      await put(subject, "second", object);
      await run("move-object", { object, destination: { bucket: other } });
      await expectContent(subject, { bucket: other, key: "move-version" }, "second");
      await expectGone(subject, object);
      await expectContent(subject, { ...object, versionId }, "first");
    },
  },
];
