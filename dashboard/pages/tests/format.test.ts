import { expect, test } from "vitest";
import { bytes, duration, inUtc, percent, rate } from "../assets/core/format.js";
import { durationTicks, rateTicks } from "../assets/core/ticks.js";

test.each([
  [0, "0 ms"],
  [999.4, "999 ms"],
  [999.6, "1.0 s"],
  [9949, "9.9 s"],
  [9960, "10 s"],
  [59_600, "1 min"],
  [119_600, "2 min"],
  [90_000, "1 min 30 s"],
  [3_599_700, "1 h"],
  [7_140_000, "1 h 59 min"],
  [172_799_999, "2 d"],
  [null, "–"],
])("a duration never has a unit that is full: %d ms is %s", (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test("no duration of any length reads 60 or 1000 of a unit that is followed by a larger one", () => {
  for (let ms = 0; ms < 200_000_000; ms = Math.ceil(ms * 1.003) + 1)
    expect([ms, duration(ms)]).not.toEqual([ms, expect.stringMatching(/\b(?:60 s|60 min|1000 ms)\b/)]);
});

test.each([
  [1023, "1023 B"],
  [1024, "1.0 KiB"],
  [1024 * 1024 - 1, "1.0 MiB"],
  [150 * 1024, "150 KiB"],
])("bytes never fill their unit: %d is %s", (value, text) => {
  expect(bytes(value)).toBe(text);
});

test.each([
  [0, "0"],
  [0.004, "< 0.01"],
  [0.04, "0.04"],
  [3.25, "3.3"],
  [9.96, "10"],
  [1234, "1,234"],
])("a rate that is not zero never reads as zero: %d is %s", (value, text) => {
  expect(rate(value)).toBe(text);
});

test("a share is neither rounded up to all nor down to nothing", () => {
  expect([percent(999, 1000), percent(1, 1000), percent(0, 1000), percent(3, 3), percent(0, 0)]).toEqual([
    "99%",
    "< 1%",
    "0%",
    "100%",
    "",
  ]);
});

test("a time is told in UTC to the second, whatever zone the reader is in", () => {
  expect(inUtc("2026-11-27T14:03:02.900+02:00")).toBe("2026-11-27 12:03:02 UTC");
});

test.each([
  [rateTicks, [0, 0.05, 0.1, 0.15, 0.2], ["0", "0.05", "0.10", "0.15", "0.20"]],
  [rateTicks, [0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.50", "0.75", "1.00"]],
  [rateTicks, [0, 1000, 2000], ["0", "1,000", "2,000"]],
  [durationTicks, [0, 0.2, 0.4], ["0", "0.2 ms", "0.4 ms"]],
  [durationTicks, [0, 500, 1000, 1500], ["0", "0.5 s", "1.0 s", "1.5 s"]],
  [durationTicks, [0, 60_000, 120_000], ["0", "1 min", "2 min"]],
])("marks of an axis read differently where they are: %o of %j", (ticks, marks, labels) => {
  expect(ticks(marks)).toEqual(labels);
});
