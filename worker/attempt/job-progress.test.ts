import { pino } from "pino";
import { expect, test, vi } from "vitest";
import { createJobProgress } from "./job-progress.ts";

const log = pino({ level: "silent" });

test("tells bytes at most once a second, and never more than there are", () => {
  vi.useFakeTimers();
  const told: unknown[] = [];
  const onBytes = createJobProgress({ updateProgress: async (progress) => void told.push(progress) }, log)(100);
  onBytes(10);
  expect(told).toEqual([]);
  vi.advanceTimersByTime(1_000);
  onBytes(20);
  onBytes(1);
  expect(told).toEqual([{ bytes: 30, of: 100 }]);
  vi.useRealTimers();
});

test("a progress that cannot be told does not fail the job", async () => {
  vi.useFakeTimers();
  const updateProgress = vi.fn<() => Promise<void>>(() => Promise.reject(new Error("no such job")));
  const onBytes = createJobProgress({ updateProgress }, log)(100);
  vi.advanceTimersByTime(1_000);
  onBytes(20);
  await vi.advanceTimersByTimeAsync(1_000);
  onBytes(20);
  expect(updateProgress).toHaveBeenCalledTimes(2);
  vi.useRealTimers();
});
