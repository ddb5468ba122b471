import { expect, test } from "vitest";
import { RedisPrefix } from "./prefix.ts";

test.each(["bucketline", "{bucketline}", "a", "team-1.prod_x", "a".repeat(64)])("%s can stand before keys", (prefix) =>
  expect(RedisPrefix.safeParse(prefix).success).toBe(true),
);

test.each(["", "a:b", "a b", "a*", "a/b", ".a", "-a", "}a", "~a", "a".repeat(65)])("%j cannot", (prefix) =>
  expect(RedisPrefix.safeParse(prefix).success).toBe(false),
);
