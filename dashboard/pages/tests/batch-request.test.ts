import { expect, test } from "vitest";
import { BatchSpec } from "../../../batches/spec/request.ts";
import { readRequest, writtenFrom } from "../assets/core/batches/request.js";

const FILLED = { operation: "copy", "source.kind": "prefix", "source.bucket": "in", "destination.bucket": "out" };
const COPIES = { copies: true };

test("names every field that is missing, not only the first", () => {
  const { errors } = readRequest({ operation: "move", "source.kind": "items" }, COPIES);
  expect(errors.map(({ field }) => field)).toEqual(["source.bucket", "source.items", "destination.bucket"]);
});

test("reads a share as a percentage or as a part, and says what it expected of anything else", () => {
  const ratio = (text: string) => readRequest({ ...FILLED, "failureThreshold.ratio": text }, COPIES);
  expect(ratio("50%").spec["failureThreshold"]).toEqual({ ratio: 0.5 });
  expect(ratio("0.25").spec["failureThreshold"]).toEqual({ ratio: 0.25 });
  expect(ratio("half").errors).toEqual([
    { field: "failureThreshold.ratio", message: "expected a share such as 0.5 or 50%, got “half”" },
  ]);
});

test("never sends a number that is none", () => {
  const { spec, errors } = readRequest(
    { ...FILLED, maxObjects: "1,000", priority: "first", "filter.minSize": "5 MB" },
    COPIES,
  );
  expect(spec["maxObjects"]).toBe(1000);
  expect(errors.map(({ field }) => field)).toEqual(["filter.minSize", "priority"]);
  expect(JSON.stringify(spec)).not.toContain("null");
});

test("what was asked once can be written into the form and asked again", () => {
  const { spec, errors } = readRequest(
    {
      ...FILLED,
      "source.prefix": "logs/",
      "destination.prefix": "old/",
      "filter.include": "**/*.{gz,log}, raw/*",
      "filter.minSize": "10",
      "filter.modifiedAfter": "2026-11-01T10:30",
      maxObjectsPerSecond: "12.5",
      "failureThreshold.ratio": "5%",
      onConflict: "skip",
      label: "Nightly",
    },
    COPIES,
  );
  expect(errors).toEqual([]);
  const parsed = BatchSpec.parse(spec);
  const again = readRequest(writtenFrom(parsed as Parameters<typeof writtenFrom>[0]), COPIES);
  expect(BatchSpec.parse(again.spec)).toEqual(parsed);
});
