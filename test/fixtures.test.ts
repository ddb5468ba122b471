import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { redisUrl, uniquePrefix } from "./fixtures.ts";

test("every test file is given a Redis that answers and keeps what it accepts", async () => {
  const redis = new Redis(redisUrl());
  try {
    expect(await redis.ping()).toBe("PONG");
    expect(await redis.config("GET", "maxmemory-policy")).toContain("noeviction");
  } finally {
    redis.disconnect();
  }
});

test("no two key prefixes are equal", () => {
  expect(uniquePrefix()).not.toBe(uniquePrefix());
});
