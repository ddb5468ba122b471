import { expect, test } from "vitest";
import { z } from "zod";
import { parseBatchSpec } from "../batches/spec/request.ts";
import { contracts } from "./contracts.ts";
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
  [
    "the name of an object",
    () => parseInput(contractOf("delete-object"), { object: { bucket: "abc", key: "k", verionId: "7" } }),
    'object: unknown field "verionId"; did you mean versionId?',
  ],
  [
    "an item of a batch",
    () => parseBatchSpec({ operation: "delete", source: { items: [{ bucket: "abc", key: "k", version: "7" }] } }),
    'source.items[0]: unknown field "version"; did you mean versionId?',
  ],
  [
    "credentials",
    () => parseInput(contractOf("list-objects"), { bucket: "abc", credentials: { seald: "x" } }),
    'credentials: unknown field "seald"; did you mean sealed?',
  ],
  [
    "a form with too much",
    () => parseBatchSpec({ operation: "delete", source: { bucket: "abc", prefix: "x/", recursive: true } }),
    'source: unknown field "recursive"',
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

test("what fits no form, or two alike, is told what they are", () => {
  const take = (source: unknown) => () => parseBatchSpec({ operation: "delete", source });
  for (const source of [{}, 7, { recursive: true }])
    expect(take(source)).toThrow(
      "source: expected { bucket, prefix }, { items: 1 to 1,000 objects } or { manifest, format }",
    );
});

test("an object from a listing or a HEAD is taken as it is, and only what names it is kept", () => {
  const named = { bucket: "abc", key: "k" };
  const listed = { ...named, size: 1, etag: "e", lastModified: "2026-01-01T00:00:00.000Z", storageClass: "STANDARD" };
  const head = {
    ...listed,
    versionId: "7",
    contentType: "text/plain",
    metadata: { a: "b" },
    checksums: {},
    expires: "0",
  };
  const parse = (object: typeof listed) => parseInput(contracts["head-object"], { object }).object;
  expect(parse(listed)).toEqual(named);
  expect(parse(head)).toEqual({ ...named, versionId: "7" });
  const { source } = parseBatchSpec({ operation: "delete", source: { items: [head] } });
  expect(source).toEqual({ items: [{ ...listed, versionId: "7" }] });
});
