import { CopyObjectCommand, GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { expect, test, vi } from "vitest";
import { startSandboxProcess, type SandboxProcess } from "./start-process.ts";

function connect({ endpoint, credentials }: SandboxProcess): S3Client {
  return new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials, maxAttempts: 1 });
}

test("serves from a process of its own, steered over its control channel", async () => {
  await using sandbox = await startSandboxProcess({ logSize: 10 });
  expect(sandbox.pid).not.toBe(process.pid);
  const { control } = sandbox;
  await control.createBucket("docs", { versioning: true });
  await control.put("docs", "a", "hello");
  await control.generate("docs", { count: 1000, prefix: "many/" });
  const s3 = connect(sandbox);
  await s3.send(new CopyObjectCommand({ Bucket: "docs", Key: "b", CopySource: "docs/a" }));
  expect(await control.text("docs", "b")).toBe("hello");
  expect(await control.text("docs", "missing")).toBeUndefined();
  await control.fault({ kind: "status", operation: "GetObject", keyPattern: "^a" });
  await expect(s3.send(new GetObjectCommand({ Bucket: "docs", Key: "a" }))).rejects.toMatchObject({
    name: "InternalError",
  });
  expect(await control.faultHits()).toEqual([1]);
  await control.clearFaults();
  await (await s3.send(new GetObjectCommand({ Bucket: "docs", Key: "a" }))).Body?.transformToString();
  expect(await control.state()).toMatchObject({
    counts: { CopyObject: 1, GetObject: 2 },
    buckets: { docs: 1002 },
    uploads: 0,
  });
  await expect(control.keys("nowhere")).rejects.toThrow('sandbox keys: the sandbox has no bucket "nowhere"');
});

test("ends when told to, and reports a process that could not start", async () => {
  const sandbox = await startSandboxProcess();
  await expect(startSandboxProcess({ port: Number(new URL(sandbox.endpoint).port) })).rejects.toThrow(
    /before it served: .*EADDRINUSE/s,
  );
  await sandbox.stop();
  await vi.waitFor(() => expect(() => process.kill(sandbox.pid, 0)).toThrow("ESRCH"));
});

test("lets nobody steer it who was not told its secret", async () => {
  await using sandbox = await startSandboxProcess();
  await sandbox.control.createBucket("docs");
  for (const secret of [undefined, "", "A".repeat(43)]) {
    const headers = secret === undefined ? {} : { "x-sandbox-secret": secret };
    const answer = await fetch(`${sandbox.endpoint}/_sandbox/put`, {
      method: "POST",
      headers,
      body: '["docs","a","x"]',
    });
    expect([secret, answer.status]).toEqual([secret, 403]);
  }
  expect(await sandbox.control.keys("docs")).toEqual([]);
});
