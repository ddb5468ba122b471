import { expect, test } from "vitest";
import { progressText } from "./progress-line.ts";

test("shows the share, the rate and the time to go", () => {
  const text = progressText({ bytes: 50_000_000, of: 200_000_000 }, 10_000_000);
  expect(text).toBe("[########......................]  25 %  50.0 MB of 200.0 MB  10.0 MB/s  15 s to go");
  expect(progressText({ bytes: 50_000_000, of: 200_000_000 }, 10_000_000, 63)).toBe(
    "[###........]  25 %  50.0 MB of 200.0 MB  10.0 MB/s  15 s to go",
  );
  expect(progressText({ bytes: 1, of: 7_201 }, 1)).toContain("2 h 00 min to go");
});

test("tells no rate before there is one, and an empty object is done at once", () => {
  expect(progressText({ bytes: 5, of: 10 }, 0)).toMatch(/ 50 % {2}5 bytes of 10 bytes$/);
  expect(progressText({ bytes: 0, of: 0 }, 0)).toContain("100 %");
});
