import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeMetadata, encodeMetadata } from "./metadata-encoding.ts";

test("any text goes through a header and back", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const header = encodeMetadata(text);
      expect(header).toMatch(/^[\x20-\x7e]*$/);
      expect(decodeMetadata(header)).toBe(text);
    }),
  );
});

test.each([
  ["plain", "plain"],
  ["=?UTF-8?Q?a=C3=A9_b?=", "aé b"],
  ["=?utf-8?b?w6k=?= =?utf-8?b?w6k=?=", "éé"],
  ["x =?UTF-8?Q?=C3=A9?= y", "x é y"],
  [Buffer.from("é日").toString("latin1"), "é日"],
  ["caf\u00e9", "caf\u00e9"],
])("reads %j as AWS and other stores send it", (header, text) => {
  expect(decodeMetadata(header)).toBe(text);
});
