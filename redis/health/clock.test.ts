import { Redis } from "ioredis";
import { afterAll, afterEach, expect, test } from "vitest";
import { redisUrl } from "../../test/fixtures.ts";
import { followRedisClock, measureSkew } from "./clock.ts";

const redis = new Redis(redisUrl());
afterAll(() => redis.disconnect());
const own = Date.now.bind(Date);
afterEach(() => {
  Date.now = own;
});

const DAY_MS = 86_400_000;
const ahead = (ms: number): void => {
  Date.now = () => own() + ms;
};

test("measures how far the clock is ahead of Redis, or behind", async () => {
  expect(Math.abs(await measureSkew(redis))).toBeLessThan(500);
  ahead(3_600_000);
  expect(Math.abs((await measureSkew(redis)) - 3_600_000)).toBeLessThan(500);
  ahead(-60_000);
  expect(Math.abs((await measureSkew(redis)) + 60_000)).toBeLessThan(500);
});

test("sets the clock of a process right where it may, and says how far it was off", async () => {
  ahead(3_600_000);
  const told: number[] = [];
  await followRedisClock(redis, { boundMs: DAY_MS, correct: true, onSkew: (skew) => told.push(skew) });
  expect(told).toHaveLength(1);
  expect(Math.abs(Date.now() - own())).toBeLessThan(500);
  await followRedisClock(redis, { boundMs: DAY_MS, correct: true, onSkew: (skew) => told.push(skew) });
  expect(told).toHaveLength(1);
});

test("refuses a clock that is off beyond the bound, and touches none that is not ours", async () => {
  ahead(10_000);
  const look = (boundMs: number) => followRedisClock(redis, { boundMs, correct: false, onSkew: () => {} });
  await expect(look(5000)).rejects.toMatchObject({ code: "ClockSkewed" });
  await look(20_000);
  expect(Date.now() - own()).toBeGreaterThan(9000);
});
