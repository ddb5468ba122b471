import { expect, test } from "vitest";
import { createCredentialCache } from "./credential-cache.ts";

const MINUTE = 60_000;
const identity = (name: number, expiration?: number) => ({
  accessKeyId: String(name),
  secretAccessKey: "s",
  ...(expiration !== undefined && { expiration: new Date(expiration) }),
});

test("asks once for all who wait, and again five minutes before the end", async () => {
  let now = 0;
  let asked = 0;
  const cache = createCredentialCache(
    () => Promise.resolve(identity(++asked, now + 60 * MINUTE)),
    () => now,
  );
  expect((await Promise.all([cache.get(), cache.get()])).map(({ accessKeyId }) => accessKeyId)).toEqual(["1", "1"]);
  now = 54 * MINUTE;
  expect(await cache.get()).toMatchObject({ accessKeyId: "1" });
  expect(cache.peek()).toMatchObject({ accessKeyId: "1" });
  now = 56 * MINUTE;
  expect(cache.peek()).toBeUndefined();
  expect(await cache.get()).toMatchObject({ accessKeyId: "2" });
});

test("asks again also where the provider names no end, as its source may change", async () => {
  let now = 0;
  let asked = 0;
  const cache = createCredentialCache(
    () => Promise.resolve(identity(++asked)),
    () => now,
  );
  await cache.get();
  now = 2 * MINUTE;
  expect(await cache.get()).toMatchObject({ accessKeyId: "2" });
});

test("a failed refresh is no error while the old credentials last, and one afterwards", async () => {
  let now = 0;
  let fails = false;
  const cache = createCredentialCache(
    () => (fails ? Promise.reject(new Error("down")) : Promise.resolve(identity(1, 60 * MINUTE))),
    () => now,
  );
  await cache.get();
  fails = true;
  now = 58 * MINUTE;
  expect(await cache.get()).toMatchObject({ accessKeyId: "1" });
  now = 61 * MINUTE;
  await expect(cache.get()).rejects.toThrow("down");
});

test("forgets what the store has called expired", async () => {
  let asked = 0;
  const cache = createCredentialCache(() => Promise.resolve(identity(++asked, Date.now() + 60 * MINUTE)));
  await cache.get();
  cache.forget();
  expect(cache.peek()).toBeUndefined();
  expect(await cache.get()).toMatchObject({ accessKeyId: "2" });
});
