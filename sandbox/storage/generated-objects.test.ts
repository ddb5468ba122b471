import { createHash } from "node:crypto";
import {
  CopyObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { expect } from "vitest";
import { raw, test } from "../fixtures.ts";
import { GIB, MIB } from "../options.ts";

test(
  "a million objects list, read, copy and go away quickly, in flat memory",
  { timeout: 60_000 },
  async ({ sandbox, s3 }) => {
    const memory = process.memoryUsage().rss;
    sandbox.generate("docs", { count: 1_000_000, prefix: "in/", size: 100 });
    expect(sandbox.count("docs")).toBe(1_000_000);
    const start = performance.now();
    let token: string | undefined;
    let keys: string[] = [];
    for (let page = 0; page < 20; page++) {
      const listed: {
        Contents?: { Key?: string | undefined }[] | undefined;
        NextContinuationToken?: string | undefined;
      } = await s3.send(
        new ListObjectsV2Command({
          Bucket: "docs",
          ContinuationToken: token,
          ...(page === 10 && { StartAfter: "in/000999000.bin" }),
        }),
      );
      keys = (listed.Contents ?? []).map((one) => one.Key ?? "");
      token = listed.NextContinuationToken;
    }
    expect(performance.now() - start).toBeLessThan(5000);
    expect([keys[0], keys.length]).toEqual(["in/000019000.bin", 1000]);
    const { Deleted } = await s3.send(
      new DeleteObjectsCommand({ Bucket: "docs", Delete: { Objects: keys.map((Key) => ({ Key })) } }),
    );
    expect([Deleted?.length, sandbox.count("docs")]).toEqual([1000, 999_000]);
    const after = await s3.send(
      new ListObjectsV2Command({ Bucket: "docs", StartAfter: "in/000018999.bin", MaxKeys: 1 }),
    );
    expect(after.Contents?.[0]?.Key).toBe("in/000020000.bin");
    expect(process.memoryUsage().rss - memory).toBeLessThan(150 * MIB);
  },
);

test("generated objects agree with their listing, HEAD and content", async ({ sandbox, s3 }) => {
  sandbox.generate("docs", { count: 10, size: (i) => i * 1000, contentType: "text/plain", metadata: { made: "up" } });
  const listed = await s3.send(new ListObjectsV2Command({ Bucket: "docs" }));
  for (const { Key, Size, ETag } of listed.Contents ?? []) {
    const head = await s3.send(new HeadObjectCommand({ Bucket: "docs", Key }));
    expect(head).toMatchObject({ ContentLength: Size, ETag, ContentType: "text/plain", Metadata: { made: "up" } });
    const bytes = Buffer.from(
      (await (await s3.send(new GetObjectCommand({ Bucket: "docs", Key }))).Body?.transformToByteArray()) ?? [],
    );
    expect([bytes.length, `"${createHash("md5").update(bytes).digest("hex")}"`]).toEqual([Size, ETag]);
  }
});

test("overwritten and deleted ones are remembered, among ordinary objects", async ({ sandbox, s3 }) => {
  sandbox.generate("docs", { count: 3, key: (i) => `k${i}` });
  sandbox.put("docs", "a", "x");
  sandbox.put("docs", "k1x", "x");
  await s3.send(new PutObjectCommand({ Bucket: "docs", Key: "k1", Body: "new" }));
  sandbox.delete("docs", "k0");
  expect([sandbox.keys("docs"), sandbox.count("docs"), sandbox.text("docs", "k1")]).toEqual([
    ["a", "k1", "k1x", "k2"],
    4,
    "new",
  ]);
  sandbox.delete("docs", "k1");
  expect(sandbox.keys("docs")).toEqual(["a", "k1x", "k2"]);
  sandbox.put("docs", "k0", "back");
  const page = await s3.send(new ListObjectsV2Command({ Bucket: "docs" }));
  expect(page.Contents?.map((one) => one.Key)).toEqual(["a", "k0", "k1x", "k2"]);
});

test("keeps a generated object as the older version in a versioned bucket", async ({ sandbox }) => {
  sandbox.createBucket("versioned", { versioning: true });
  sandbox.generate("versioned", { count: 1, key: () => "k", size: 5 });
  sandbox.put("versioned", "k", "new");
  sandbox.delete("versioned", "k");
  expect(sandbox.versions("versioned", "k").map((one) => [one.size, one.deleteMarker])).toEqual([
    [0, true],
    [3, false],
    [5, false],
  ]);
});

test(
  "copies into a sink keep what is needed to read them, not their bytes",
  { timeout: 60_000 },
  async ({ sandbox, s3 }) => {
    sandbox.createBucket("sink", { sink: true });
    sandbox.generate("docs", { count: 500, size: 3 * GIB });
    const memory = process.memoryUsage().rss;
    for (const Key of sandbox.keys("docs"))
      await s3.send(new CopyObjectCommand({ Bucket: "sink", Key, CopySource: `docs/${Key}` }));
    expect(sandbox.keys("sink")).toEqual(sandbox.keys("docs"));
    const range = { headers: { range: `bytes=${2 * GIB}-${2 * GIB + 99}` } };
    const [source, copy] = [
      await raw(sandbox, { path: "/docs/000000017.bin", ...range }),
      await raw(sandbox, { path: "/sink/000000017.bin", ...range }),
    ];
    expect([copy.status, copy.body.length, copy.body.equals(source.body), copy.headers["etag"]]).toEqual([
      206,
      100,
      true,
      source.headers["etag"],
    ]);
    sandbox.delete("sink", "000000017.bin");
    expect([sandbox.count("sink"), sandbox.object("sink", "000000017.bin")]).toEqual([499, undefined]);
    expect(process.memoryUsage().rss - memory).toBeLessThan(150 * MIB);
  },
);

test("uploads to a sink keep size and ETag above 64 KiB, and the bytes below", async ({ sandbox, s3 }) => {
  sandbox.createBucket("sink", { sink: true });
  const Body = Buffer.alloc(MIB, "x");
  const put = await s3.send(new PutObjectCommand({ Bucket: "sink", Key: "large", Body }));
  expect(put.ETag).toBe(`"${createHash("md5").update(Body).digest("hex")}"`);
  expect(await s3.send(new HeadObjectCommand({ Bucket: "sink", Key: "large" }))).toMatchObject({
    ContentLength: MIB,
    ETag: put.ETag,
  });
  expect((await raw(sandbox, { path: "/sink/large" })).text).toContain("<Code>NotImplemented</Code>");
  await s3.send(new PutObjectCommand({ Bucket: "sink", Key: "small", Body: "x" }));
  expect(sandbox.text("sink", "small")).toBe("x");
});

test("refuses keys out of order", ({ sandbox }) => {
  expect(() => sandbox.generate("docs", { count: 20, key: (i) => `k${i}` })).toThrow("must be in UTF-8 binary order");
});
