import { afterAll, describe, expect, test } from "vitest";
import { openTestRedis, uniquePrefix } from "../../test/fixtures.ts";
import { createEvidence } from "./evidence.ts";
import type { CopyProof, Pin } from "../../s3/interface.ts";

const redis = openTestRedis();
afterAll(() => redis.disconnect());

const pin = (etag: string): Pin => ({
  bucket: "in",
  key: "a",
  etag,
  size: 1,
  lastModified: "2026-01-01T00:00:00.000Z",
  storageClass: "STANDARD",
});
const proof = (etag: string): CopyProof => ({ bucket: "out", key: "a", etag, size: 1, verified: "etag" });
const gone = () => Promise.reject(new Error("the source is gone"));

describe.each([{ fresh: true }, { fresh: false }])("evidence of a run with %j", ({ fresh }) => {
  test("gives two runs of one job the pin of the first", async () => {
    const key = uniquePrefix();
    expect(await createEvidence(redis, key, { fresh }).pinOnce(async () => pin("one"))).toEqual(pin("one"));
    expect(await createEvidence(redis, key, { fresh }).pinOnce(async () => pin("two"))).toEqual(pin("one"));
  });

  test("finds the pin of an earlier run where the source is gone since, and the copy that it proved", async () => {
    const key = uniquePrefix();
    const earlier = createEvidence(redis, key);
    await earlier.pinOnce(async () => pin("one"));
    await earlier.recordCopy(proof("one"));
    const later = createEvidence(redis, key, { fresh });
    expect(await later.pinOnce(gone)).toEqual(pin("one"));
    expect(await later.copied()).toEqual(proof("one"));
  });

  test("believes no proof of another pin, where Redis forgot the pin that it is of", async () => {
    const key = uniquePrefix();
    const earlier = createEvidence(redis, key);
    await earlier.pinOnce(async () => pin("one"));
    await redis.del(key);
    await earlier.recordCopy(proof("one"));
    const later = createEvidence(redis, key, { fresh });
    expect(await later.pinOnce(async () => pin("two"))).toEqual(pin("two"));
    expect(await later.copied()).toBeUndefined();
  });

  test("throws what kept it from a pin where no other run has one", async () => {
    await expect(createEvidence(redis, uniquePrefix(), { fresh }).pinOnce(gone)).rejects.toThrow("the source is gone");
  });

  test("asks Redis anew for a copy that is asked for a second time", async () => {
    const key = uniquePrefix();
    const evidence = createEvidence(redis, key, { fresh });
    await evidence.pinOnce(async () => pin("one"));
    expect(await evidence.copied()).toBeUndefined();
    const other = createEvidence(redis, key);
    await other.pinOnce(gone);
    await other.recordCopy(proof("one"));
    expect(await evidence.copied()).toEqual(proof("one"));
  });

  test("keeps what it wrote for a week, and for ten minutes once the job is done", async () => {
    const key = uniquePrefix();
    const evidence = createEvidence(redis, key, { fresh });
    await evidence.pinOnce(async () => pin("one"));
    expect(await redis.ttl(key)).toBeGreaterThan(6 * 24 * 3600);
    await redis.persist(key);
    await evidence.recordCopy(proof("one"));
    expect(await redis.ttl(key)).toBeGreaterThan(6 * 24 * 3600);
    await evidence.release();
    expect(await redis.ttl(key)).toBeLessThanOrEqual(600);
  });
});
