import { missing } from "./bucket-checks.ts";
import { bigContent, type Check, expectCode, expectContent, expectEqual, expectGone, expectThat } from "./check.ts";
import { forOddKeys, oddKeys } from "./odd-keys.ts";
import { described } from "./write-checks.ts";

const WRONG_ETAG = "0".repeat(32);

export const readChecks: readonly Check[] = [
  {
    activity: "head-object",
    claim: "tells size, ETag and date",
    run: async ({ run, bucket }) => {
      const { object } = await run("head-object", { object: { bucket, key: described.key } });
      expectEqual(object.size, described.content.length, "the size");
      expectThat(object.etag !== "" && !object.etag.includes('"'), "an ETag without quotes");
      expectThat(Math.abs(Date.now() - Date.parse(object.lastModified)) < 3_600_000, "the date of now");
    },
  },
  {
    activity: "head-object",
    claim: "says NoSuchKey and NoSuchBucket",
    run: async ({ run, bucket }) => {
      await expectCode(run("head-object", { object: { bucket, key: "no-such-key" } }), "NoSuchKey");
      await expectCode(run("head-object", { object: missing }), "NoSuchBucket");
    },
  },
  {
    activity: "get-object",
    claim: "reads what was written, of any size",
    run: async (subject) => {
      const { bucket } = subject;
      await expectContent(subject, { bucket, key: "big" }, bigContent());
      await expectContent(subject, { bucket, key: "empty" }, "");
    },
  },
  {
    activity: "get-object",
    claim: "reads ranges",
    run: async ({ run, bucket, producer }) => {
      const object = { bucket, key: described.key };
      const ranges = [
        [{ start: 1, end: 3 }, "esc"],
        [{ start: 7 }, "ed"],
        [{ last: 4 }, "ibed"],
      ] as const;
      for (const [range, expected] of ranges) {
        const { document } = await run("get-object", { object, range });
        let text = "";
        for await (const chunk of await producer.documents.read(document)) text += String(chunk);
        expectEqual(text, expected, `bytes ${JSON.stringify(range)}`);
      }
      await expectCode(run("get-object", { object, range: { start: 100 } }), "InvalidRange");
    },
  },
  {
    activity: "get-object",
    claim: "reads the content that was named only (ifMatch)",
    run: async ({ run, bucket }) => {
      const object = { bucket, key: described.key };
      await expectCode(run("get-object", { object, ifMatch: WRONG_ETAG }), "PreconditionFailed");
    },
  },
  {
    activity: "get-object",
    claim: "reads odd keys",
    run: async (subject) =>
      forOddKeys(subject.oddKeys, (key) => expectContent(subject, { bucket: subject.odd, key }, `content of ${key}`)),
  },
  {
    activity: "get-object",
    claim: "says NoSuchKey and NoSuchBucket",
    run: async ({ run, bucket }) => {
      await expectCode(run("get-object", { object: { bucket, key: "no-such-key" } }), "NoSuchKey");
      await expectCode(run("get-object", { object: missing }), "NoSuchBucket");
    },
  },
  {
    activity: "presign-object",
    claim: "makes a URL that reads",
    run: async ({ run, odd: bucket, signal }) => {
      const key = oddKeys[2] ?? "";
      const { url } = await run("presign-object", { object: { bucket, key }, expiresIn: 60 });
      const answer = await fetch(url, { signal });
      expectEqual([answer.status, await answer.text()], [200, `content of ${key}`], "status and content");
    },
  },
  {
    activity: "presign-object",
    claim: "makes URLs that write and delete",
    run: async (subject) => {
      const { run, bucket, signal } = subject;
      const object = { bucket, key: "presigned" };
      const { url } = await run("presign-object", { object, method: "put", expiresIn: 60 });
      const written = await fetch(url, { method: "PUT", body: "by URL", signal });
      expectThat(written.ok, `HTTP 200 to PUT, got ${written.status}`);
      await expectContent(subject, object, "by URL");
      const remove = await run("presign-object", { object, method: "delete", expiresIn: 60 });
      const removed = await fetch(remove.url, { method: "DELETE", signal });
      expectThat(removed.ok, `HTTP 204 to DELETE, got ${removed.status}`);
      await expectGone(subject, object);
    },
  },
];
