import { expect, test } from "vitest";
import type { Protect } from "../../model/attributes/carried.ts";
import { call, errorOf, openS3, type OpenOptions } from "../../test/open-s3.ts";
import type { Overrides } from "../interface.ts";
import { Readable } from "node:stream";

const until = new Date(Date.now() + 3_600_000).toISOString();
const KEEP: Protect = { acl: "keep", objectLock: "keep" };
const NAME: Protect = { acl: "name", objectLock: "name" };
const withAcls: OpenOptions = { sandbox: { objectOwnership: "ObjectWriter", blockPublicAccess: false } };

/** A store with two buckets that have Object Lock, two that have not, and one object that somebody else may read. */
async function open(options: OpenOptions = {}) {
  const opened = await openS3(options);
  const { sandbox, s3, events } = opened;
  for (const bucket of ["locked", "vault"]) sandbox.createBucket(bucket, { objectLock: true });
  const put = async (bucket: string, key: string, attributes: Overrides) => {
    await s3.put({ bucket, key, body: Readable.from(["x"]), size: 1, attributes }, call);
    const { etag, size, lastModified, versionId } = await s3.head({ bucket, key }, call);
    return { bucket, key, etag, size, lastModified, ...(versionId !== undefined && { versionId }) };
  };
  const operations = () => events.splice(0).map(({ operation }) => operation);
  return { ...opened, put, operations };
}

test("a copy keeps the lock of its source where it is to, and is refused where the bucket takes none", async () => {
  const { s3, put } = await open();
  const objectLock = { mode: "GOVERNANCE" as const, retainUntil: until, legalHold: true };
  const source = await put("locked", "a", { objectLock });
  await s3.copy({ source, bucket: "vault", key: "a", protect: KEEP }, call);
  expect((await s3.head({ bucket: "vault", key: "a" }, call)).objectLock).toEqual(objectLock);
  const refused = await errorOf(s3.copy({ source, bucket: "out", key: "a", protect: KEEP }, call));
  expect(refused).toMatchObject({ code: "ProtectionNotCarried", retryable: false });
  expect(refused.message).toMatch(/s3:\/\/out\/a to keep its lock \(GOVERNANCE until .* and its legal hold/);
  expect(await s3.find({ bucket: "out", key: "a" }, call)).toBeUndefined();
  const named = await s3.copy({ source, bucket: "out", key: "a", protect: NAME }, call);
  expect(named.notCarried).toEqual(["objectLock"]);
  const said = await s3.copy(
    { source, bucket: "vault", key: "b", protect: KEEP, overrides: { objectLock: { legalHold: true } } },
    call,
  );
  expect(said.notCarried).toBeUndefined();
});

test("an access list is kept, named or left behind, in place it stays", async () => {
  const { s3, put, connect } = await open(withAcls);
  const source = await put("in", "a", { acl: "public-read" });
  const list = async (key: string) =>
    await s3.protection({ ...source, bucket: "out", key }, { acl: "keep", objectLock: "drop" }, call);
  const left = await s3.copy({ source, bucket: "out", key: "named", protect: NAME }, call);
  expect(left.notCarried).toEqual(["acl"]);
  expect((await list("named"))?.acl).toBeUndefined();
  for (const [key, store] of [
    ["kept", s3],
    ["kept-in-parts", connect({ multipartThreshold: 1 })],
  ] as const) {
    expect((await store.copy({ source, bucket: "out", key, protect: KEEP }, call)).notCarried).toBeUndefined();
    expect((await list(key))?.acl?.others).toEqual({
      GrantRead: 'uri="http://acs.amazonaws.com/groups/global/AllUsers"',
    });
  }
  await s3.copy({ source, bucket: "in", key: "a", protect: NAME, overrides: { contentType: "text/css" } }, call);
  expect((await s3.protection(source, KEEP, call))?.acl?.others.GrantRead).toContain("AllUsers");
});

test("asks nothing of objects in buckets that can have neither", async () => {
  const { s3, put, operations } = await open();
  const source = await put("in", "a", {});
  operations();
  await s3.copy({ source, bucket: "out", key: "1", protect: NAME }, call);
  expect(operations()).toEqual(["GetObjectLockConfiguration", "GetBucketOwnershipControls", "CopyObject"]);
  await s3.copy({ source, bucket: "out", key: "2", protect: NAME }, call);
  expect(operations()).toEqual(["CopyObject"]);
});

test("where access lists may not be read, a copy goes on and it is logged once; one that is to keep them is refused", async () => {
  const { sandbox, s3, put } = await open(withAcls);
  const source = await put("in", "a", { acl: "public-read" });
  sandbox.fault({ operation: "GetObjectAcl", kind: "status", status: 403, code: "AccessDenied" });
  const copied = await s3.copy({ source, bucket: "out", key: "a", protect: NAME }, call);
  expect([copied.notCarried, s3.lessons()]).toEqual([undefined, ["acls-unread"]]);
  const kept = await errorOf(s3.copy({ source, bucket: "out", key: "b", protect: KEEP }, call));
  expect(kept).toMatchObject({ code: "AccessDenied", message: expect.stringContaining("s3:GetObjectAcl") });
});

test("a store that breaks down over questions about access and locks is copied in all the same", async () => {
  const { sandbox, s3, put } = await open(withAcls);
  const source = await put("in", "a", { acl: "public-read" });
  for (const operation of ["GetObjectAcl", "GetBucketOwnershipControls", "GetObjectLockConfiguration"] as const)
    sandbox.fault({ operation, kind: "status", status: 500, code: "InternalError" });
  expect(await s3.copy({ source, bucket: "out", key: "a", protect: NAME }, call)).toMatchObject({ verified: "etag" });
  expect(s3.lessons()).toEqual(["acls-unread"]);
  const kept = await errorOf(s3.copy({ source, bucket: "out", key: "b", protect: KEEP }, call));
  expect(kept).toMatchObject({ code: "InternalError", retryable: true });
});
