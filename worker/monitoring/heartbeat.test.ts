import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { redisKeys } from "../../redis/keys.ts";
import { redisUrl, uniquePrefix } from "../../test/fixtures.ts";
import { startHeartbeat } from "./heartbeat.ts";

const info = (id: string) => ({
  id,
  host: "here",
  pid: 1,
  activities: ["head-object"],
  concurrency: {},
  version: "1.2.3",
  startedAt: "2026-11-27T12:00:00.000Z",
});
const trouble = () => {};
const lessons = () => [];

test("a worker that fell silent is kept aside with what it held, until it is heard of again", async () => {
  const redis = new Redis(redisUrl());
  onTestFinished(() => redis.disconnect());
  const keys = redisKeys(uniquePrefix());
  const dead = startHeartbeat(redis, keys, { info: info("dead"), held: () => ["head-object/7"], lessons, trouble });
  await expect.poll(() => redis.exists(keys.worker("dead")), { timeout: 10_000 }).toBe(1);
  // As after half a minute without a word of it.
  await redis.zadd(keys.workers(), Date.now() - 31_000, "dead");
  const alive = startHeartbeat(redis, keys, { info: info("alive"), held: () => [], lessons, trouble });
  const lost = async () => JSON.parse((await redis.hget(keys.lostWorkers(), "dead")) ?? "{}") as object;
  await expect.poll(lost, { timeout: 10_000 }).toMatchObject({ id: "dead", jobs: ["head-object/7"] });
  expect(await redis.zrange(keys.workers(), "0", "-1")).toEqual(["alive"]);
  // Its next heartbeat.
  await expect.poll(() => redis.hlen(keys.lostWorkers()), { timeout: 20_000 }).toBe(0);
  await dead.close();
  await alive.close();
  // Who says goodbye was not lost.
  expect(await redis.zcard(keys.workers())).toBe(0);
  expect(await redis.hlen(keys.lostWorkers())).toBe(0);
}, 60_000);
