import { afterAll, expect, test } from "vitest";
import { openTestRedis, uniquePrefix } from "../test/fixtures.ts";
import { redisKeys } from "./keys.ts";
import { createLeases, leasedBucket, type LeasedObject, type LeasedRange } from "./leases.ts";

const redis = openTestRedis();
afterAll(() => redis.disconnect());

const open = () => {
  const prefix = uniquePrefix();
  const leases = createLeases(redis, redisKeys(prefix));
  const take = (holder: string, objects: readonly LeasedObject[], { token = holder, ttlMs = 30_000 } = {}) =>
    leases.takeObjects({ objects, holder, token, ttlMs });
  const range = (holder: string, ranges: readonly LeasedRange[], ttlMs = 30_000) =>
    leases.takeRanges({ ranges, holder, ttlMs });
  return { ...leases, take, range, prefix };
};
const a = leasedBucket({}, "a");
const b = leasedBucket({}, "b");
const move = (from: LeasedObject["bucket"], to: LeasedObject["bucket"], key = "x", toKey = key): LeasedObject[] => [
  { bucket: from, key, role: "deletes" },
  { bucket: to, key: toKey, role: "writes" },
];

const TAKEN = { held: true, again: false };

test("lets one of two crossing moves go first, and the other when it has ended", async () => {
  const { take, releaseObjects } = open();
  expect(await take("one", move(a, b))).toEqual(TAKEN);
  expect(await take("other", move(b, a))).toEqual({ held: false, by: "one" });
  await releaseObjects(move(a, b), "one");
  expect(await take("other", move(b, a))).toEqual(TAKEN);
});

test("lets no two moves write one destination at once", async () => {
  const { take } = open();
  expect(await take("one", move(a, b, "1", "same"))).toEqual(TAKEN);
  expect(await take("other", move(a, b, "2", "same"))).toEqual({ held: false, by: "one" });
  expect(await take("third", move(a, b, "2", "another"))).toEqual(TAKEN);
});

test("gives the same holder its own again, and leaves them with the run that took them last", async () => {
  const { take, renewObjects, releaseObjects } = open();
  await take("one", move(a, b), { token: "first-run" });
  expect(await take("one", move(a, b), { token: "second-run" })).toEqual({ held: true, again: true });
  expect(await renewObjects(move(a, b), "first-run", 1000)).toBe(false);
  await releaseObjects(move(a, b), "first-run");
  expect(await take("other", move(b, a))).toEqual({ held: false, by: "one" });
  expect(await renewObjects(move(a, b), "second-run", 1000)).toBe(true);
});

test("frees what nobody renewed, and renews nothing that had run out", async () => {
  const { take, renewObjects } = open();
  await take("one", move(a, b), { ttlMs: 1 });
  // Renewed within its millisecond it is held for one more, and not for the whole time of the test.
  await expect.poll(() => renewObjects(move(a, b), "one", 1)).toBe(false);
  expect(await take("other", move(b, a))).toEqual(TAKEN);
});

test("leaves nothing in Redis for ever, whoever takes what and never comes back", async () => {
  const { take, range, prefix } = open();
  await take("one", move(a, b));
  await range("batch", [{ bucket: leasedBucket({}, "c"), prefix: "", role: "deletes" }]);
  const keys = redisKeys(prefix);
  const left = [keys.leasedObjects(a), keys.leasedObjects(b), keys.leasedRanges(leasedBucket({}, "c"))];
  for (const key of left) expect(await redis.ttl(key)).toBeGreaterThan(30);
});

test("keeps a batch that deletes and one that writes out of each other's range", async () => {
  const { range, releaseRanges } = open();
  const there: LeasedRange[] = [
    { bucket: a, prefix: "in/", role: "deletes" },
    { bucket: b, prefix: "out/", role: "writes" },
  ];
  const back: LeasedRange[] = [
    { bucket: b, prefix: "", role: "deletes" },
    { bucket: a, prefix: "in/deep/", role: "writes" },
  ];
  expect(await range("batch 1", there)).toEqual(TAKEN);
  expect(await range("batch 1", there)).toEqual(TAKEN);
  expect(await range("batch 2", back)).toEqual({ held: false, by: "batch 1" });
  expect(await range("batch 3", [{ bucket: a, prefix: "elsewhere/", role: "writes" }])).toEqual(TAKEN);
  expect(await range("batch 4", [{ bucket: a, prefix: "in/", role: "deletes" }])).toEqual(TAKEN);
  await releaseRanges(there, "batch 1");
  expect(await range("batch 2", [back[0]!])).toEqual(TAKEN);
});

test("keeps everything out of where a look alone keeps what is there", async () => {
  const { take, range, releaseObjects, releaseRanges } = open();
  const fill = (key: string): LeasedObject[] => [{ bucket: b, key, role: "fills" }];
  const into = (role: LeasedRange["role"]): LeasedRange[] => [{ bucket: b, prefix: "out/", role }];
  expect(await range("batch 1", into("writes"))).toEqual(TAKEN);
  expect(await take("job", fill("out/x"))).toEqual({ held: false, by: "batch 1" });
  expect(await range("batch 2", into("fills"))).toEqual({ held: false, by: "batch 1" });
  expect(await take("job", fill("elsewhere/x"))).toEqual(TAKEN);
  await releaseRanges(into("writes"), "batch 1");
  expect(await take("job", fill("out/x"))).toEqual(TAKEN);
  expect(await range("batch 3", into("writes"))).toEqual({ held: false, by: "job" });
  expect(await range("batch 2", into("fills"))).toEqual({ held: false, by: "job" });
  await releaseObjects(fill("out/x"), "job");
  expect(await range("batch 2", into("fills"))).toEqual(TAKEN);
  expect(await range("batch 4", into("fills"))).toEqual({ held: false, by: "batch 2" });
  expect(await range("batch 2", into("fills"))).toEqual(TAKEN);
});

test("keeps single moves and batches apart, whichever came first", async () => {
  const { take, range } = open();
  await range("batch 1", [{ bucket: a, prefix: "in/", role: "deletes" }]);
  expect(await take("job", move(b, a, "x", "in/x"))).toEqual({ held: false, by: "batch 1" });
  expect(await take("job", move(b, a, "x", "in"))).toEqual(TAKEN);
  expect(await range("batch 2", [{ bucket: a, prefix: "i", role: "deletes" }])).toEqual({ held: false, by: "job" });
  expect(await range("batch 3", [{ bucket: a, prefix: "i", role: "writes" }])).toEqual({ held: false, by: "batch 1" });
});

test("knows a bucket by its endpoint and name, and AWS by any of its endpoints", () => {
  const names = [
    leasedBucket({ endpoint: "http://minio:9000" }, "a"),
    leasedBucket({ endpoint: "http://minio:9000/" }, "a"),
    leasedBucket({ endpoint: "http://minio:9001" }, "a"),
    leasedBucket({ endpoint: "https://s3.eu-central-1.amazonaws.com" }, "a"),
    leasedBucket({}, "a"),
  ];
  expect(new Set(names).size).toBe(3);
  expect(names[0]).toBe(names[1]);
  expect(names[3]).toBe(names[4]);
  const same = ["localhost:9000", "127.0.0.1:9000", "[::1]:9000", "LOCALHOST.:9000"];
  expect(new Set(same.map((host) => leasedBucket({ endpoint: `http://${host}` }, "a"))).size).toBe(1);
});
