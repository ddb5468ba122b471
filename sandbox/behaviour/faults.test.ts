import { CopyObjectCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { expect } from "vitest";
import { connect, expectRefusal, raw, test } from "../fixtures.ts";
import { startSandbox } from "../start.ts";

const copyHeaders = { "x-amz-copy-source": "docs/a" };

test("answers an error before the effect, with code, status and Retry-After", async ({ sandbox, s3 }) => {
  const fault = sandbox.fault({
    kind: "status",
    operation: "PutObject",
    status: 503,
    code: "ServiceUnavailable",
    retryAfter: 3,
  });
  await expectRefusal(
    s3.send(new PutObjectCommand({ Bucket: "docs", Key: "a", Body: "x" })),
    "ServiceUnavailable",
    503,
  );
  expect([sandbox.keys("docs"), fault.hits, sandbox.log.at(-1)?.fault]).toEqual([[], 1, "status"]);
  expect((await raw(sandbox, { method: "PUT", path: "/docs/a", body: "x" })).headers["retry-after"]).toBe("3");
  fault.remove();
  await s3.send(new PutObjectCommand({ Bucket: "docs", Key: "a", Body: "x" }));
});

test("slows down", async ({ sandbox, s3 }) => {
  sandbox.fault({ kind: "slow-down", times: 1 });
  await expectRefusal(s3.send(new ListObjectsV2Command({ Bucket: "docs" })), "SlowDown", 503);
  await s3.send(new ListObjectsV2Command({ Bucket: "docs" }));
});

test("resets the connection before or after the effect", async ({ sandbox }) => {
  sandbox.put("docs", "a", "x");
  sandbox.fault({ kind: "reset", operation: "CopyObject", key: "before" });
  sandbox.fault({ kind: "reset-after", operation: "CopyObject", key: "after" });
  for (const key of ["before", "after"]) {
    await expect(raw(sandbox, { method: "PUT", path: `/docs/${key}`, headers: copyHeaders })).rejects.toMatchObject({
      code: "ECONNRESET",
    });
  }
  expect(sandbox.keys("docs")).toEqual(["a", "after"]);
  expect(sandbox.log.map((entry) => entry.status)).toEqual([0, 0]);
});

test("stalls for ever, before or after the effect, and still closes", async () => {
  const sandbox = await startSandbox();
  sandbox.createBucket("docs");
  sandbox.put("docs", "a", "x");
  const stalls = [
    sandbox.fault({ kind: "stall", key: "before" }),
    sandbox.fault({ kind: "stall", key: "after", after: true }),
  ];
  const answers = ["before", "after"].map((key) =>
    raw(sandbox, { method: "PUT", path: `/docs/${key}`, headers: copyHeaders }).then(
      () => "answered",
      (error: NodeJS.ErrnoException) => error.code,
    ),
  );
  await expect.poll(() => stalls.map((fault) => fault.hits)).toEqual([1, 1]);
  await expect.poll(() => sandbox.keys("docs")).toEqual(["a", "after"]);
  await sandbox.close();
  expect(await Promise.all(answers)).toEqual(["ECONNRESET", "ECONNRESET"]);
});

test("truncates bodies: the length is promised, fewer bytes come", async ({ sandbox, s3 }) => {
  sandbox.put("docs", "a", "0123456789");
  sandbox.fault({ kind: "truncate", operation: "GetObject", afterBytes: 4 });
  const got = await s3.send(new GetObjectCommand({ Bucket: "docs", Key: "a" }));
  expect(got.ContentLength).toBe(10);
  await expect(got.Body?.transformToString()).rejects.toThrow(/aborted|terminated|ECONNRESET/);
  await expect(raw(sandbox, { path: "/docs/a" })).rejects.toThrow("aborted");
});

test("stalls in mid body", async ({ sandbox }) => {
  sandbox.put("docs", "a", "0123456789");
  sandbox.fault({ kind: "stall-body", operation: "GetObject", afterBytes: 4 });
  const connection = new AbortController();
  const { url, headers } = await signedGet(sandbox.endpoint);
  const response = await fetch(url, { headers, signal: connection.signal });
  const reader = response.body!.getReader();
  expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe("0123");
  const next = reader.read();
  connection.abort(new Error("waited enough"));
  await expect(next).rejects.toThrow("waited enough");
});

/** A presigned request, so that fetch can read the body piece by piece. */
async function signedGet(endpoint: string): Promise<{ url: string; headers: Record<string, string> }> {
  const { getSignedUrl } = await import("@aws-sdk/s3-request-presigner");
  const { S3Client } = await import("@aws-sdk/client-s3");
  const credentials = { accessKeyId: "sandbox", secretAccessKey: "sandbox-secret" };
  const s3 = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials });
  return { url: await getSignedUrl(s3, new GetObjectCommand({ Bucket: "docs", Key: "a" })), headers: {} };
}

test("answers 200 with an error, with nothing or with a web page, without the effect unless asked", async ({
  sandbox,
}) => {
  sandbox.put("docs", "a", "x");
  for (const kind of ["error-in-200", "empty-200", "html-200"] as const) {
    for (const after of [false, true]) {
      const key = `${kind}-${after}`;
      sandbox.fault({ kind, after, operation: "CopyObject", key });
      const answer = await raw(sandbox, { method: "PUT", path: `/docs/${key}`, headers: copyHeaders });
      expect([answer.status, answer.text.includes("ETag")]).toEqual([200, false]);
      if (kind === "error-in-200") expect(answer.text).toMatch(/<Error><Code>InternalError<\/Code>.*<\/Error>\n$/s);
      if (kind === "empty-200") expect(answer.text).toBe("");
      expect([key, sandbox.object("docs", key) !== undefined]).toEqual([key, after]);
    }
  }
});

test("the SDK takes an error in a 200 for success, which is what the fault is for", async ({ sandbox, s3 }) => {
  sandbox.put("docs", "a", "x");
  sandbox.fault({ kind: "error-in-200", operation: "CopyObject" });
  const outcome = await s3.send(new CopyObjectCommand({ Bucket: "docs", Key: "b", CopySource: "docs/a" })).then(
    (answer) => answer.CopyObjectResult?.ETag,
    (error: Error) => error.name,
  );
  expect([undefined, "InternalError"]).toContain(outcome);
  expect(sandbox.object("docs", "b")).toBeUndefined();
});

test("delays answers", async ({ sandbox }) => {
  sandbox.fault({ kind: "latency", delayMs: 150, operation: "ListObjectsV2" });
  const start = performance.now();
  await raw(sandbox, { path: "/docs?list-type=2" });
  expect(performance.now() - start).toBeGreaterThan(140);
});

test("strikes the n-th call, every n-th, so many times, by key pattern, or by seeded chance", async ({ sandbox }) => {
  const statuses = async (calls: number) => {
    const seen: number[] = [];
    for (let i = 0; i < calls; i++)
      seen.push((await raw(sandbox, { method: "PUT", path: `/docs/k${i}`, body: "x" })).status);
    sandbox.clearFaults();
    return seen.map((status) => (status === 200 ? "." : "x")).join("");
  };
  sandbox.fault({ kind: "status", nth: 3 });
  expect(await statuses(5)).toBe("..x..");
  sandbox.fault({ kind: "status", every: 2, times: 2 });
  expect(await statuses(7)).toBe(".x.x...");
  sandbox.fault({ kind: "status", key: /^k[13]$/g });
  expect(await statuses(5)).toBe(".x.x.");
  sandbox.fault({ kind: "status", bucket: "other" });
  sandbox.fault({ kind: "status", operation: ["GetObject", "HeadObject"] });
  expect(await statuses(3)).toBe("...");
  sandbox.fault({ kind: "status", probability: 0.5, seed: 7 });
  const chance = await statuses(20);
  sandbox.fault({ kind: "status", probability: 0.5, seed: 7 });
  expect(await statuses(20)).toBe(chance);
  expect(chance).toMatch(/x.*\..*x/);
});

test("adds latency to every answer where told to, and refuses in the log what it refuses on the wire", async () => {
  await using sandbox = await startSandbox({ latencyMs: 60 });
  const start = performance.now();
  await expectRefusal(connect(sandbox).send(new ListObjectsV2Command({ Bucket: "nowhere" })), "NoSuchBucket", 404);
  expect(performance.now() - start).toBeGreaterThan(55);
  expect(sandbox.log).toMatchObject([
    { operation: "ListObjectsV2", bucket: "nowhere", status: 404, code: "NoSuchBucket" },
  ]);
});
