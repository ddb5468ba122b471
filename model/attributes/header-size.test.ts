import { expect, test } from "vitest";
import { headerSizeProblem } from "./header-size.ts";

const long = "x".repeat(2048);

test("lets each of the attributes be as long as S3 takes one", () => {
  expect(headerSizeProblem({})).toBeUndefined();
  expect(headerSizeProblem({ contentDisposition: long, cacheControl: long })).toBeUndefined();
  expect(headerSizeProblem({ metadata: { a: "x".repeat(2047) }, contentDisposition: long })).toBeUndefined();
});

test("names the longest field and the bound where all of them together are more than one request takes", () => {
  const said = { contentDisposition: long, cacheControl: "y".repeat(2000), expires: "0".repeat(1990) };
  expect(headerSizeProblem({ ...said, contentLanguage: "z".repeat(1200) })).toMatchObject({
    field: "contentDisposition",
    message: expect.stringMatching(
      /expected at most 7,168 bytes of headers, metadata and tags together, .* have 7,\d{3}, 2,091 of them here/,
    ),
  });
});

test("counts metadata as it is sent: names with their prefix, and other letters than ASCII as encoded words", () => {
  const names = Array.from({ length: 300 }, (_, index) => [`n${index}`, ""] as const);
  expect(headerSizeProblem({ metadata: Object.fromEntries(names) })?.field).toBe("metadata");
  const said = { contentDisposition: long, cacheControl: long, expires: "x".repeat(700) };
  expect(headerSizeProblem({ ...said, metadata: { a: "x".repeat(2040) } })).toBeUndefined();
  expect(headerSizeProblem({ ...said, metadata: { a: "ü".repeat(1020) } })?.field).toBe("metadata");
});

test("leaves out tags that go in a request of their own", () => {
  const tags = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`${index}`, "ä".repeat(256)]));
  expect(headerSizeProblem({ tags, contentDisposition: long, cacheControl: long })).toBeUndefined();
});
