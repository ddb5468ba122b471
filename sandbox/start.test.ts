import { CopyObjectCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "vitest";
import { raw, test } from "./fixtures.ts";
import { startSandbox } from "./start.ts";

test("shows tests what it holds, without HTTP", async ({ sandbox }) => {
  const body = Buffer.from("hello");
  const { etag } = sandbox.put("docs", "a", body, {
    contentType: "text/plain",
    metadata: { x: "1" },
    lastModified: new Date(1_700_000_000_999),
  });
  body.fill(0);
  expect(sandbox.text("docs", "a")).toBe("hello");
  expect(sandbox.object("docs", "a")).toEqual({
    key: "a",
    size: 5,
    etag,
    lastModified: new Date(1_700_000_000_000),
    contentType: "text/plain",
    headers: { "content-type": "text/plain" },
    metadata: { x: "1" },
    tags: {},
    storageClass: "STANDARD",
    encryption: { algorithm: "AES256" },
    versionId: undefined,
    deleteMarker: false,
    parts: undefined,
    checksum: undefined,
    retention: undefined,
    legalHold: false,
  });
  expect([
    sandbox.delete("docs", "a"),
    sandbox.delete("docs", "a"),
    sandbox.bytes("docs", "a"),
    sandbox.count("docs"),
  ]).toEqual([true, false, undefined, 0]);
  expect(() => sandbox.keys("nowhere")).toThrow('no bucket "nowhere"');
  expect(sandbox.calls()).toBe(0);
});

test("runs hooks before and after an effect, and waits for them", async ({ sandbox, s3 }) => {
  sandbox.put("docs", "a", "old");
  const remove = sandbox.before("CopyObject", async ({ bucket, key }) => {
    await new Promise((resolve) => setImmediate(resolve));
    sandbox.put("docs", "a", `seen before ${bucket}/${key}`);
  });
  sandbox.after("CopyObject", () => void sandbox.put("docs", "a", "newer"));
  await s3.send(new CopyObjectCommand({ Bucket: "docs", Key: "b", CopySource: "docs/a" }));
  expect([sandbox.text("docs", "b"), sandbox.text("docs", "a")]).toEqual(["seen before docs/b", "newer"]);
  remove();
  await s3.send(new CopyObjectCommand({ Bucket: "docs", Key: "c", CopySource: "docs/a" }));
  expect(sandbox.text("docs", "c")).toBe("newer");
});

test("does not run the after hook of a refused call", async ({ sandbox }) => {
  let ran = 0;
  sandbox.after("CopyObject", () => void ran++);
  await raw(sandbox, { method: "PUT", path: "/docs/b", headers: { "x-amz-copy-source": "docs/missing" } });
  expect(ran).toBe(0);
});

test("logs every call with what was asked and answered, in a ring", async () => {
  await using sandbox = await startSandbox({ logSize: 3 });
  sandbox.createBucket("docs");
  for (let i = 0; i < 5; i++)
    await raw(sandbox, { method: "PUT", path: `/docs/k${i}`, body: "x", headers: { "x-amz-meta-i": String(i) } });
  expect(sandbox.log.map((entry) => [entry.operation, entry.key, entry.status, entry.headers["x-amz-meta-i"]])).toEqual(
    [
      ["PutObject", "k2", 200, "2"],
      ["PutObject", "k3", 200, "3"],
      ["PutObject", "k4", 200, "4"],
    ],
  );
  await raw(sandbox, { path: "/docs/k1?partNumber=1" });
  expect(sandbox.log.at(-1)).toMatchObject({ operation: "GetObject", bytes: 1, accessKeyId: "sandbox" });
  expect(sandbox.log.at(-1)?.query.get("partNumber")).toBe("1");
  expect([sandbox.counts, sandbox.calls(), sandbox.calls("PutObject"), sandbox.calls("HeadObject")]).toEqual([
    { PutObject: 5, GetObject: 1 },
    6,
    5,
    0,
  ]);
  sandbox.clearLog();
  expect([sandbox.log, sandbox.calls()]).toEqual([[], 0]);
});

test("refuses to start on a port that is taken", async ({ sandbox }) => {
  await expect(startSandbox({ port: sandbox.port })).rejects.toMatchObject({ code: "EADDRINUSE" });
});

test("waits with 100 Continue until the body is wanted", async ({ sandbox, s3 }) => {
  // The SDK sends Expect: 100-continue with bodies above 1 MiB.
  const Body = Buffer.alloc(3 * 1024 * 1024, "x");
  await s3.send(new PutObjectCommand({ Bucket: "docs", Key: "a", Body }));
  expect(sandbox.log.at(-1)?.headers["expect"]).toBe("100-continue");
  expect((await s3.send(new HeadObjectCommand({ Bucket: "docs", Key: "a" }))).ContentLength).toBe(Body.length);
});

test("closes twice without complaint", async () => {
  const sandbox = await startSandbox();
  await Promise.all([sandbox.close(), sandbox.close()]);
});
