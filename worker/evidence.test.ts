import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { ActivityError } from "../jobs/activity-error.ts";
import { redisUrl, uniquePrefix } from "../test/fixtures.ts";
import { createEvidence } from "./evidence.ts";
import type { Pin } from "./s3/s3.ts";

/** Two runs of one job, as after a lost lock. */
function twoRuns() {
  const redis = new Redis(redisUrl(), { maxRetriesPerRequest: null });
  onTestFinished(() => redis.disconnect());
  const key = `${uniquePrefix()}:~evidence:move-object:j1`;
  return { redis, key, first: createEvidence(redis, key), second: createEvidence(redis, key) };
}

const pinOf = (etag: string): Pin => ({
  bucket: "in",
  key: "a",
  etag,
  size: 1,
  lastModified: "2026-11-23T00:00:00.000Z",
});

test("two runs of one job agree on the pin that was stored first", async () => {
  const { first, second } = twoRuns();
  const slow = Promise.withResolvers<Pin>();
  const waiting = second.pinOnce(() => slow.promise);
  expect(await first.pinOnce(() => Promise.resolve(pinOf("one")))).toEqual(pinOf("one"));
  slow.resolve(pinOf("two"));
  expect(await waiting).toEqual(pinOf("one"));
});

test("a run that is refused because of another run's copy goes on from that one's pin", async () => {
  const { first, second } = twoRuns();
  const looking = Promise.withResolvers<Pin>();
  const waiting = second.pinOnce(() => looking.promise);
  await first.pinOnce(() => Promise.resolve(pinOf("one")));
  looking.reject(new ActivityError("DestinationExists", "it is there already"));
  expect(await waiting).toEqual(pinOf("one"));
});

test("a refusal where nobody has pinned is the job's", async () => {
  const { first } = twoRuns();
  const refused = first.pinOnce(() => Promise.reject(new ActivityError("DestinationExists", "it is there already")));
  await expect(refused).rejects.toMatchObject({ code: "DestinationExists" });
});

test("what is known is forgotten soon after success, and never kept for good", async () => {
  const { redis, key, first } = twoRuns();
  await first.pinOnce(() => Promise.resolve(pinOf("one")));
  expect(await redis.ttl(key)).toBeGreaterThan(6 * 24 * 3600);
  await first.release();
  const left = await redis.ttl(key);
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThanOrEqual(600);
});
