import { expect, test } from "vitest";
import { z } from "zod";
import { parseBatchSpec } from "../batches/spec/request.ts";
import { contractOf, parseInput, parseOptions } from "./parse-input.ts";

test.each<[what: string, parse: () => unknown, told: string]>([
  ["an input", () => parseInput(contractOf("list-objects"), { bucket: "abc", limt: 1 }), "did you mean limit?"],
  [
    "a part of an input",
    () =>
      parseInput(contractOf("copy-object"), {
        object: { bucket: "abc", key: "k" },
        destination: { bucket: "abd", keey: "x" },
      }),
    'destination: unknown field "keey"; did you mean key?',
  ],
  ["an activity", () => contractOf("list-object"), "did you mean list-objects?"],
  [
    "a batch",
    () => parseBatchSpec({ operation: "delete", source: { bucket: "abc", prefx: "x/" }, dryrun: true }),
    'source: unknown field "prefx"; did you mean prefix?; unknown field "dryrun"; did you mean dryRun?',
  ],
  ["options", () => parseOptions("options", z.strictObject({ delay: z.int() }), { dealy: 1 }), "did you mean delay?"],
])("%s with a misspelt name is told which was probably meant", (_what, parse, told) => {
  expect(parse).toThrow(told);
});

test("what is there already was not meant", () => {
  const schema = z.strictObject({ prefix: z.string() });
  expect(() => parseOptions("options", schema, { prefix: "a", prefi: "b" })).toThrow(/unknown field "prefi"$/);
});
