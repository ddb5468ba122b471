import { expect, test } from "vitest";
import { progressText } from "./progress-line.ts";

test("shows the share, the rate and the time to go", () => {
  const text = progressText({ bytes: 50 * 1024 ** 2, of: 200 * 1024 ** 2 }, 5);
  expect(text).toContain("[########......................]  25 %");
  expect(text).toContain("/s  15 s to go");
});

test("an empty object is done at once", () => {
  expect(progressText({ bytes: 0, of: 0 }, 0)).toContain("100 %");
});
