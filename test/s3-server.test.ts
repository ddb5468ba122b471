import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { s3Server } from "./fixtures.ts";
import { type Harness, startHarness } from "./harness.ts";

/** On the S3 server that we did not write, where Docker runs one; else on the sandbox. global-setup.ts prints which. */
async function startOnS3Server(): Promise<Harness> {
  const server = s3Server();
  if (!server) return startHarness();
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  const cautious = { conditionalDelete: false, conditionalCopy: false, checksums: "when-required" };
  return startHarness({
    profile: { endpoint, region, ...cautious },
    env: { S3_KEY: accessKeyId, S3_SECRET: secretAccessKey },
  });
}

test("an object is put, found, read, copied, moved and deleted on the S3 server of this run", async () => {
  const { run, producer, close } = await startOnS3Server();
  const [bucket, other] = [`in-${randomUUID()}`, `out-${randomUUID()}`];
  try {
    await run("create-bucket", { bucket });
    await run("create-bucket", { bucket: other });
    const names = (await run("list-buckets", {})).buckets.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining([bucket, other]));

    const document = await producer.documents.write(Readable.from(["hello"]), { name: "a b/ü.txt" });
    await run("put-object", { bucket, document, metadata: { from: "tests" } });
    expect((await run("list-prefixes", { bucket })).prefixes).toMatchObject([{ prefix: "a b/" }]);
    const [object] = (await run("list-objects", { bucket })).objects;
    expect(object).toMatchObject({ bucket, key: "a b/ü.txt", size: 5 });
    if (!object) throw new Error("expected the object that was just put");

    const got = await run("get-object", { object });
    expect(got.object.metadata).toEqual({ from: "tests" });
    expect(await text(await producer.documents.read(got.document))).toBe("hello");

    await run("copy-object", { object, destination: { bucket: other, key: "copy" } });
    await run("move-object", { object, destination: { bucket: other, key: "moved" } });
    expect((await run("list-objects", { bucket })).objects).toEqual([]);
    for (const key of ["copy", "moved"]) {
      expect((await run("head-object", { object: { bucket: other, key } })).object.metadata).toEqual({ from: "tests" });
      await run("delete-object", { object: { bucket: other, key } });
    }
    await run("delete-bucket", { bucket });
    await run("delete-bucket", { bucket: other });
  } finally {
    await close();
  }
});
