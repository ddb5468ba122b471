import { expect, test } from "vitest";
import { readResults, summarize } from "./s3-tests-results.ts";

const report = `<?xml version="1.0"?><testsuites><testsuite>
  <testcase name="test_object_lock_get" time="1"></testcase>
  <testcase name="test_object_copy_x" time="1"><failure message="assert 1 == 2">trace</failure></testcase>
  <testcase name="test_bucket_create_bad_ua_none_aws2" time="1"><failure message="no">trace</failure></testcase>
  <testcase name="test_skipped" time="1"><skipped message="s"/></testcase>
</testsuite></testsuites>`;

test("counts results by group, and lists the failures that are claimed", () => {
  const { text, failed } = summarize(readResults(report));
  expect(failed).toBe(1);
  expect(text).toContain("| Object Lock | 1 | 0 | 0 |");
  expect(text).toContain("failed: test_object_copy_x: assert 1 == 2");
  expect(text).toContain("not claimed, 1: Signature Version 2");
  expect(text.endsWith("1 passed, 1 failed, 1 not claimed")).toBe(true);
});
