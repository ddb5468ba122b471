import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startDeadline } from "./deadline.ts";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => vi.useRealTimers());

const start = () => startDeadline({ lockMs: 1000, sentAt: performance.now(), name: "job 1" });

test("forbids deletes after half of the lock's time without a confirmed renewal, and ends the run after all of it", () => {
  const deadline = start();
  vi.advanceTimersByTime(499);
  expect(deadline.mayDelete()).toBe(true);
  vi.advanceTimersByTime(1);
  expect([deadline.mayDelete(), deadline.deletes.aborted, deadline.signal.aborted]).toEqual([false, true, false]);
  expect(() => deadline.requireDelete()).toThrow("LockLost: job 1");
  vi.advanceTimersByTime(500);
  expect(deadline.signal.reason).toMatchObject({ code: "LockLost", retryable: true });
});

test("counts from when a renewal was sent, not from when its answer came", () => {
  const deadline = start();
  const sentAt = performance.now();
  vi.advanceTimersByTime(400);
  deadline.confirm(sentAt + 100);
  vi.advanceTimersByTime(150);
  expect(deadline.mayDelete()).toBe(true);
  deadline.confirm(sentAt);
  vi.advanceTimersByTime(50);
  expect(deadline.mayDelete()).toBe(false);
});

test("lives for as long as renewals are confirmed", () => {
  const deadline = start();
  for (let renewals = 0; renewals < 10; renewals += 1) {
    vi.advanceTimersByTime(400);
    deadline.confirm(performance.now());
  }
  expect([deadline.mayDelete(), deadline.signal.aborted]).toEqual([true, false]);
  deadline.end();
  expect(vi.getTimerCount()).toBe(0);
});

test("sees that time has passed where its timer comes late", () => {
  const deadline = startDeadline({ lockMs: 1000, sentAt: performance.now() - 600, name: "job 1" });
  expect(deadline.mayDelete()).toBe(false);
  deadline.end();
});
