import { expect, test } from "vitest";
import { createToken, hashPassword, hashToken, isPasswordHash, verifyPassword } from "./password-hash.ts";

test("a password matches its own hash only, and no two hashes are equal", async () => {
  const [one, other] = await Promise.all([hashPassword("geheim"), hashPassword("geheim")]);
  expect(one).not.toBe(other);
  expect(isPasswordHash(one)).toBe(true);
  expect(await verifyPassword("geheim", one)).toBe(true);
  expect(await verifyPassword("Geheim", one)).toBe(false);
  expect(await verifyPassword("", one)).toBe(false);
});

test("one way to write a letter is as good as another", async () => {
  expect(await verifyPassword("e\u0301t\u00e9", await hashPassword("\u00e9te\u0301"))).toBe(true);
});

test.each([
  "",
  "plain",
  "$2b$10$abc",
  "scrypt.1.8.1.c2FsdHNhbHRzYWx0c2FsdA.",
  "scrypt.30.8.1.AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
])("%j is no hash that may be configured", (text) => {
  expect(isPasswordHash(text)).toBe(false);
});

test("a hash can stand in an environment variable, a list and a Compose file", async () => {
  expect(await hashPassword("x")).not.toMatch(/[$:,\s"']/);
});

test("a token is long, and its hash does not hold it", () => {
  const { token, hash } = createToken();
  expect(token).toMatch(/^bl_[A-Za-z0-9_-]{43}$/);
  expect(hash).toBe(hashToken(token));
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
});
