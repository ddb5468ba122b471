import type { AwsCredentialIdentity } from "@smithy/types";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { refreshing } from "./refreshing.ts";

const MINUTE = 60_000;

// The clock alone is ours; promises run as ever.
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: 0 }));
afterEach(() => void vi.useRealTimers());

/** A provider that numbers what it gives, and fails when told. */
function source({ lifeMs, recheckMs = 5 * MINUTE }: { readonly lifeMs?: number; readonly recheckMs?: number }) {
  const state = { calls: 0, failing: false, failures: [] as unknown[] };
  const provider = refreshing(
    async (): Promise<AwsCredentialIdentity> => {
      state.calls++;
      await Promise.resolve();
      if (state.failing) throw new Error("down");
      const identity = { accessKeyId: `key-${state.calls}`, secretAccessKey: "secret" };
      return lifeMs === undefined ? identity : { ...identity, expiration: new Date(Date.now() + lifeMs) };
    },
    { recheckMs, onRenewalFailed: (error) => state.failures.push(error) },
  );
  const key = async () => (await provider()).accessKeyId;
  return { state, provider, key };
}

/** Lets a renewal in the background end. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test("asks once for many callers, and holds what it got", async () => {
  const { state, key } = source({ lifeMs: 60 * MINUTE });
  expect(new Set(await Promise.all(Array.from({ length: 50 }, key)))).toEqual(new Set(["key-1"]));
  vi.setSystemTime(54 * MINUTE);
  expect(await key()).toBe("key-1");
  expect(state.calls).toBe(1);
});

test("renews five minutes before the end, behind callers who still get the old ones", async () => {
  const { state, key } = source({ lifeMs: 60 * MINUTE });
  await key();
  vi.setSystemTime(56 * MINUTE);
  expect(await Promise.all([key(), key()])).toEqual(["key-1", "key-1"]);
  await settle();
  expect(await key()).toBe("key-2");
  expect(state.calls).toBe(2);
});

test("makes callers wait for new ones when the end is near", async () => {
  const { key } = source({ lifeMs: 60 * MINUTE });
  await key();
  vi.setSystemTime(58 * MINUTE);
  expect(await key()).toBe("key-2");
});

test("renews credentials that live for seconds before their end", async () => {
  const { key } = source({ lifeMs: 3_000 });
  await key();
  vi.setSystemTime(1_900);
  expect(await key()).toBe("key-1");
  vi.setSystemTime(2_600);
  expect(await key()).toBe("key-2");
});

test("falls back on the old ones while they hold, and does not ask for each caller", async () => {
  const { state, key } = source({ lifeMs: 60 * MINUTE });
  await key();
  state.failing = true;
  vi.setSystemTime(58 * MINUTE);
  for (let call = 0; call < 20; call++) expect(await key()).toBe("key-1");
  expect(state.calls).toBe(2);
  expect(state.failures).toHaveLength(1);
  state.failing = false;
  vi.setSystemTime(58 * MINUTE + 11_000);
  expect(await key()).toBe("key-3");
});

test("never hands out expired credentials: the caller gets the error", async () => {
  const { state, key } = source({ lifeMs: 60 * MINUTE });
  await key();
  state.failing = true;
  vi.setSystemTime(60 * MINUTE);
  await expect(key()).rejects.toThrow("down");
  state.failing = false;
  expect(await key()).toBe("key-3");
});

test("asks again now and then for what has no end, behind the callers", async () => {
  const { state, key } = source({ recheckMs: 5_000 });
  await key();
  vi.setSystemTime(4_999);
  expect(await key()).toBe("key-1");
  expect(state.calls).toBe(1);
  vi.setSystemTime(5_000);
  expect(await key()).toBe("key-1");
  await settle();
  expect(await key()).toBe("key-2");
});

test("renews at once when forced, but not for every caller that saw the same refusal", async () => {
  const { state, provider } = source({ lifeMs: 60 * MINUTE });
  await provider();
  vi.setSystemTime(2_000);
  await Promise.all([provider({ forceRefresh: true }), provider({ forceRefresh: true })]);
  expect((await provider({ forceRefresh: true })).accessKeyId).toBe("key-2");
  expect(state.calls).toBe(2);
});
