import { createHash } from "node:crypto";
import { missing } from "./bucket-checks.ts";
import { bigContent, type Check, expectCode, expectContent, expectEqual, expectThat, put, THRESHOLD } from "./check.ts";
import { controlKeys, forEachKey, forOddKeys, leaveOutLost } from "./odd-keys.ts";

const WRONG_ETAG = "0".repeat(32);
const metadata = { author: "conformance", note: "grüße, 日本" };
const tags = { colour: "dark red", "a+b": "c/d=e" };
/** Read again by {@link readChecks}. */
export const described = { key: "described.txt", content: "described", contentType: "text/x-conformance" };

/** Stores give tags back in any order. */
const sorted = (of: Readonly<Record<string, string>>) =>
  Object.entries(of).toSorted(([one], [other]) => one.localeCompare(other));

export const writeChecks: readonly Check[] = [
  {
    activity: "put-object",
    claim: "keeps content, content type and metadata",
    proves: ["checksums-checked"],
    run: async (subject) => {
      const { bucket } = subject;
      const { key, content, contentType } = described;
      await put(subject, content, { bucket, key, contentType, metadata });
      const { object } = await subject.run("head-object", { object: { bucket, key } });
      expectEqual(object.contentType, contentType, "the content type");
      expectEqual(object.metadata, metadata, "the metadata");
      await expectContent(subject, { bucket, key }, content);
    },
  },
  {
    activity: "put-object",
    claim: "keeps tags",
    optional: true,
    proves: ["tags"],
    run: async (subject) => {
      const { bucket, s3, signal } = subject;
      await put(subject, "tagged", { bucket, key: "tagged", tags });
      const kept = await s3.tags({ bucket, key: "tagged" }, { signal });
      expectEqual(sorted(kept), sorted(tags), "the tags");
    },
  },
  {
    activity: "put-object",
    claim: "writes an empty object",
    run: async (subject) => {
      const { size } = await put(subject, "", { bucket: subject.bucket, key: "empty" });
      expectEqual(size, 0, "the size");
    },
  },
  {
    activity: "put-object",
    claim: `writes in parts above ${THRESHOLD / 1024 ** 2} MiB`,
    proves: ["trailing-checksums"],
    run: async (subject) => {
      const { bucket } = subject;
      const { size, etag } = await put(subject, bigContent(), { bucket, key: "big", metadata });
      expectEqual(size, bigContent().length, "the size");
      // Some stores give what came in parts the MD5 of the whole.
      const whole = createHash("md5").update(bigContent()).digest("hex");
      expectThat(/-\d+$/.test(etag) || etag === whole, `the ETag of a multipart upload, got ${etag}`);
      const { object } = await subject.run("head-object", { object: { bucket, key: "big" } });
      expectEqual(object.metadata, metadata, "the metadata");
    },
  },
  {
    activity: "put-object",
    claim: "writes under odd keys",
    run: async (subject) => {
      const refused = await forOddKeys(subject.oddKeys, async (key) => {
        await put(subject, `content of ${key}`, { bucket: subject.odd, key });
      });
      const lost = await leaveOutLost(subject);
      return [refused, lost].filter((remark) => remark !== undefined).join("; ") || undefined;
    },
  },
  {
    activity: "put-object",
    claim: "writes under keys with control characters",
    optional: true,
    run: async (subject) => {
      await forEachKey(controlKeys, async (key) => {
        await put(subject, `content of ${key}`, { bucket: subject.bucket, key: `control/${key}` });
      });
    },
  },
  {
    activity: "put-object",
    claim: "refuses to write over an object where asked (ifNoneMatch)",
    proves: ["conditional-write"],
    run: async (subject) => {
      const target = { bucket: subject.bucket, key: "once" };
      await put(subject, "first", { ...target, ifNoneMatch: "*" });
      await expectCode(put(subject, "second", { ...target, ifNoneMatch: "*" }), "PreconditionFailed");
      await expectContent(subject, target, "first");
    },
  },
  {
    activity: "put-object",
    claim: "writes over the content that was named only (ifMatch)",
    proves: ["conditional-write"],
    run: async (subject) => {
      const target = { bucket: subject.bucket, key: "replaced" };
      const { etag } = await put(subject, "first", target);
      await expectCode(put(subject, "second", { ...target, ifMatch: WRONG_ETAG }), "PreconditionFailed");
      await put(subject, "third", { ...target, ifMatch: etag });
      await expectContent(subject, target, "third");
    },
  },
  {
    activity: "put-object",
    claim: "refuses to write over an object in parts where asked",
    proves: ["conditional-multipart-write"],
    run: async (subject) => {
      const target = { bucket: subject.bucket, key: "once-big" };
      await put(subject, "small", target);
      await expectCode(put(subject, bigContent(), { ...target, ifNoneMatch: "*" }), "PreconditionFailed");
      await expectContent(subject, target, "small");
    },
  },
  {
    activity: "put-object",
    claim: "asks for a storage class",
    optional: true,
    needs: "storage-classes",
    run: async (subject) => {
      const target = { bucket: subject.bucket, key: "cold" };
      await put(subject, "cold", { ...target, storageClass: "STANDARD_IA" });
      const { object } = await subject.run("head-object", { object: target });
      expectEqual(object.storageClass, "STANDARD_IA", "the storage class");
    },
  },
  {
    activity: "put-object",
    claim: "asks for encryption",
    optional: true,
    needs: "encryption",
    run: async (subject) => {
      const target = { bucket: subject.bucket, key: "encrypted" };
      await put(subject, "secret", { ...target, encryption: { type: "AES256" } });
      await expectContent(subject, target, "secret");
    },
  },
  {
    activity: "put-object",
    claim: "says NoSuchBucket",
    run: (subject) => expectCode(put(subject, "x", missing), "NoSuchBucket"),
  },
];
