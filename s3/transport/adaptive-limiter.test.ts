import { expect, test } from "vitest";
import { ActivityError } from "../../model/activity-error.ts";
import { call, errorOf, openS3 } from "../../test/open-s3.ts";
import { isThrottle } from "../error-mapping.ts";
import { createAdaptiveLimiter, laneFor } from "./adaptive-limiter.ts";

const { signal } = call;
const slowDown = (): Promise<never> =>
  Promise.reject(new ActivityError("SlowDown", "please", { retryable: true, httpStatus: 503 }));

/** Tasks that end when told. */
function gate(): { task: () => Promise<void>; started: () => number; open: () => void; fail: () => void } {
  const waiting: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  let started = 0;
  return {
    task: () => {
      started += 1;
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    started: () => started,
    open: () => waiting.shift()?.resolve(),
    fail: () => waiting.shift()?.reject(new ActivityError("SlowDown", "please", { retryable: true })),
  };
}

test("runs as many of a lane at once as allowed, in order, and other lanes beside", async () => {
  const limiter = createAdaptiveLimiter({ max: 2 });
  const one = gate();
  const other = gate();
  const runs = [1, 2, 3].map(() => limiter.run(one.task, { signal, lane: "a" }));
  const beside = limiter.run(other.task, { signal, lane: "b" });
  await expect.poll(() => [one.started(), other.started()]).toEqual([2, 1]);
  one.open();
  await runs[0];
  await expect.poll(() => one.started()).toBe(3);
  for (const open of [one.open, one.open, other.open]) open();
  await Promise.all([...runs, beside]);
});

test("halves once for a round of SlowDown, however many requests of it met one", async () => {
  const limiter = createAdaptiveLimiter({ max: 8 });
  const round = gate();
  const runs = Array.from({ length: 8 }, () => limiter.run(round.task, { signal, lane: "a" }).catch(() => "slow"));
  await expect.poll(() => round.started()).toBe(8);
  for (let index = 0; index < 8; index += 1) round.fail();
  expect(await Promise.all(runs)).toEqual(Array(8).fill("slow"));
  expect(limiter.limitOf("a")).toBe(4);
  expect(limiter.limitOf("b")).toBe(8);
  await errorOf(limiter.run(slowDown, { signal, lane: "a" }));
  expect(limiter.limitOf("a")).toBe(2);
});

test("never stops altogether, and comes back to full speed as all goes well", async () => {
  const limiter = createAdaptiveLimiter({ max: 4 });
  for (let index = 0; index < 4; index += 1) await errorOf(limiter.run(slowDown, { signal, lane: "a" }));
  expect(limiter.limitOf("a")).toBe(1);
  const limits: number[] = [];
  for (let index = 0; index < 20; index += 1) {
    await limiter.run(() => Promise.resolve(), { signal, lane: "a" });
    limits.push(limiter.limitOf("a"));
  }
  // One more for each full round of successes: 1, then 2, 3 ...
  expect(limits.slice(0, 4)).toEqual([2, 2, 3, 3]);
  expect(limits.at(-1)).toBe(4);
});

test("other errors do not slow a lane down", async () => {
  const limiter = createAdaptiveLimiter({ max: 4 });
  await errorOf(limiter.run(() => Promise.reject(new ActivityError("NoSuchKey", "no object")), { signal, lane: "a" }));
  expect(limiter.limitOf("a")).toBe(4);
});

test("who waits can leave, and takes no place", async () => {
  const limiter = createAdaptiveLimiter({ max: 1 });
  const only = gate();
  const running = limiter.run(only.task, { signal, lane: "a" });
  const controller = new AbortController();
  const reason = new ActivityError("Cancelled", "on request");
  const waiting = limiter.run(only.task, { signal: controller.signal, lane: "a" });
  const next = limiter.run(only.task, { signal, lane: "a" });
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  only.open();
  await running;
  await expect.poll(() => only.started()).toBe(2);
  only.open();
  await next;
});

test("a lane is a bucket and the first segment of the key", () => {
  expect([laneFor("b", "x/y/z"), laneFor("b", "x"), laneFor("b", "/x")]).toEqual(["b/x", "b", "b/"]);
});

test("gets everything done against a store that keeps saying SlowDown", async () => {
  const { sandbox, s3 } = await openS3();
  sandbox.put("in", "a", "hello");
  sandbox.fault({ kind: "slow-down", operation: "HeadObject", every: 7, times: 10 });
  const limiter = createAdaptiveLimiter({ max: 16 });
  let lowest = 16;
  const persist = async (): Promise<void> => {
    for (;;) {
      try {
        await limiter.run(() => s3.head({ bucket: "in", key: "a" }, call), { signal, lane: "in" });
        return;
      } catch (error) {
        if (!isThrottle(error)) throw error;
        lowest = Math.min(lowest, limiter.limitOf("in"));
      }
    }
  };
  await Promise.all(Array.from({ length: 200 }, persist));
  expect(lowest).toBeLessThan(16);
});
