import { expect, test } from "vitest";
import { canonicalJson } from "./canonical-json.ts";

test("sorts the fields of objects at every depth, and leaves lists as they are", () => {
  expect(canonicalJson({ b: [{ d: 1, c: 2 }, "x"], a: null, left: undefined })).toBe(
    '{"a":null,"b":[{"c":2,"d":1},"x"]}',
  );
});
