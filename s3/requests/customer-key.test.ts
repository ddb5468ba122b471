import { createHash, randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import type { CustomerKey } from "../../credentials/resolved-profile.ts";
import { call, content, openS3 } from "../../test/open-s3.ts";
import type { S3 } from "../interface.ts";

function newKey(): CustomerKey {
  const bytes = randomBytes(32);
  return { key: bytes.toString("base64"), md5: createHash("md5").update(bytes).digest("base64") };
}

const [one, other] = [newKey(), newKey()];
const PART = 64 * 1024;
const parts = {
  sandbox: { minPartSize: PART },
  connection: { multipartThreshold: PART, uploadThreshold: PART },
  s3: { copyPartSize: PART, uploadPartSize: PART },
};

/** Of an object's content, which is quicker to compare. */
function sum(bytes: Uint8Array | undefined): string {
  return createHash("md5")
    .update(bytes ?? "")
    .digest("hex");
}

async function put(s3: S3, key: string, size: number): Promise<string> {
  const { bytes, stream } = content(size);
  await s3.put({ bucket: "in", key, body: stream(), size, attributes: { metadata: { by: "ann" } } }, call);
  return sum(bytes);
}

async function pinned(s3: S3, key: string) {
  const { etag, size, lastModified } = await s3.head({ bucket: "in", key }, call);
  return { bucket: "in", key, etag, size, lastModified };
}

async function read(s3: S3, bucket: string, key: string): Promise<string> {
  return sum(await buffer((await s3.get({ object: { bucket, key } }, call)).body));
}

describe.each([
  ["in one request", 1000],
  ["in parts", 2 * PART + 9],
])("an object encrypted with the customer's key, %s", (_how, size) => {
  test.each([true, false])(
    "comes back as it went up, and to nobody without the key (fast path: %s)",
    async (fastPath) => {
      const { s3, connect } = await openS3({ ...parts, s3: { ...parts.s3, fastPath } });
      const bytes = await put(s3.under({ customerKeys: { read: one, write: one } }), "a", size);
      const holder = s3.under({ customerKeys: { read: one } });
      expect(await read(holder, "in", "a")).toBe(bytes);
      expect(await holder.head({ bucket: "in", key: "a" }, call)).toMatchObject({
        encryption: "SSE-C",
        metadata: { by: "ann" },
      });
      await expect(connect().head({ bucket: "in", key: "a" }, call)).rejects.toMatchObject({ httpStatus: 400 });
      const wrong = s3.under({ customerKeys: { read: other } });
      await expect(wrong.get({ object: { bucket: "in", key: "a" } }, call)).rejects.toMatchObject({ httpStatus: 403 });
    },
  );

  test("is copied to another key, to none, from none, and onto itself under a new one", async () => {
    const { s3, sandbox } = await openS3(parts);
    const bytes = await put(s3.under({ customerKeys: { read: one, write: one } }), "a", size);
    const turn = s3.under({ customerKeys: { read: one, write: other } });
    const source = await pinned(turn, "a");
    await turn.copy({ source, bucket: "out", key: "turned" }, call);
    expect(await read(s3.under({ customerKeys: { read: other } }), "out", "turned")).toBe(bytes);
    await s3.under({ customerKeys: { read: one } }).copy({ source, bucket: "out", key: "plain" }, call);
    expect(sum(sandbox.bytes("out", "plain"))).toBe(bytes);
    expect(await read(s3, "out", "plain")).toBe(bytes);
    await turn.copy({ source, bucket: "in", key: "a" }, call);
    expect(await read(s3.under({ customerKeys: { read: other } }), "in", "a")).toBe(bytes);
    const plain = await put(s3, "b", size);
    await turn.copy({ source: await pinned(turn, "b"), bucket: "out", key: "locked" }, call);
    expect(await read(s3.under({ customerKeys: { read: other } }), "out", "locked")).toBe(plain);
  });

  test("is copied between stores, each with its own key", async () => {
    const { s3 } = await openS3(parts);
    const there = await openS3(parts);
    const bytes = await put(s3.under({ customerKeys: { read: one, write: one } }), "a", size);
    const keys = { customerKeys: { read: one, write: other } };
    const from = s3.under(keys);
    const proof = await there.s3
      .under(keys)
      .copyFrom(from, { source: await pinned(from, "a"), bucket: "out", key: "a" }, call);
    expect(proof.verified).toBe("checksum");
    expect(await read(there.s3.under({ customerKeys: { read: other } }), "out", "a")).toBe(bytes);
  });
});

test("copies what a listing tells without looking, encrypted or not", async () => {
  const { s3, sandbox, pin } = await openS3();
  await put(s3.under({ customerKeys: { read: one, write: one } }), "locked", 100);
  await put(s3, "plain", 100);
  const holder = s3.under({ customerKeys: { read: one, write: one } });
  for (const key of ["locked", "plain"]) await holder.copy({ source: pin("in", key), bucket: "out", key }, call);
  expect(sandbox.keys("out")).toEqual(["locked", "plain"]);
  for (const key of ["locked", "plain"])
    expect(await read(s3.under({ customerKeys: { read: one } }), "out", key)).toBe(sum(content(100).bytes));
});

test("moves what a key encrypts: the source goes only while it is what was copied", async () => {
  const { s3, sandbox } = await openS3();
  const holder = s3.under({ customerKeys: { read: one, write: one } });
  await put(holder, "a", 100);
  const source = await pinned(holder, "a");
  await holder.copy({ source, bucket: "out", key: "a" }, call);
  await holder.deleteUnchanged(source, call);
  expect(sandbox.keys("in")).toEqual([]);
});

test("says that the requester pays, to whoever wants that and is not the owner", async () => {
  const { sandbox, s3, pin } = await openS3();
  for (const name of ["paid", "paid-too"])
    sandbox.createBucket(name, { account: "111122223333", sharedWith: ["000000000000"], requesterPays: true });
  sandbox.put("paid", "a", "content");
  await expect(s3.head({ bucket: "paid", key: "a" }, call)).rejects.toMatchObject({ code: "AccessDenied" });
  await expect(s3.listPage({ bucket: "paid" }, call)).rejects.toMatchObject({ code: "AccessDenied" });
  const paying = s3.under({ requesterPays: true });
  expect((await paying.listPage({ bucket: "paid" }, call)).objects).toHaveLength(1);
  await paying.copy({ source: pin("paid", "a"), bucket: "paid-too", key: "b" }, call);
  expect(await read(paying, "paid-too", "b")).toBe(sum(Buffer.from("content")));
  const { url } = await paying.presign({ object: { bucket: "paid", key: "a" }, method: "get", expiresIn: 60 }, call);
  expect((await fetch(url)).status).toBe(200);
  await paying.deleteUnchanged(pin("paid", "a"), call);
  await paying.deleteMany({ bucket: "paid-too", items: [{ key: "b" }] }, call);
  expect([...sandbox.keys("paid"), ...sandbox.keys("paid-too")]).toEqual([]);
});
