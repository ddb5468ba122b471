import { expect, test } from "vitest";
import { lastPart, objectUrl, s3Url, sourceOf, targetOf } from "./s3-url.ts";

test("takes a key as it stands, whatever it holds", () => {
  expect(s3Url("s3://b/a%20b?c#d+//e/")).toEqual({ bucket: "b", key: "a%20b?c#d+//e/" });
  expect(s3Url("s3://b//leading")).toEqual({ bucket: "b", key: "/leading" });
  expect(s3Url("s3://b/line\nbreak")).toEqual({ bucket: "b", key: "line\nbreak" });
  expect(s3Url("s3://b")).toEqual({ bucket: "b", key: "" });
  expect(s3Url("s3://b/")).toEqual({ bucket: "b", key: "" });
});

test.each(["b/k", "/tmp/file", "s3://", "s3:///k", "https://b/k", "s3://arn:aws:s3:::b/k", ""])(
  "refuses %j as a place in S3",
  (text) => {
    expect(() => s3Url(text)).toThrow("expected s3://bucket/key");
  },
);

test.each(["s3://b", "s3://b/", "s3://b/a/../c", `s3://b/${"x".repeat(1025)}`])("refuses %j as an object", (text) => {
  expect(() => objectUrl(text)).toThrow("expected");
});

test("a slash at the end means a prefix, a pattern character a pattern, unless told otherwise", () => {
  const source = (key: string, literal = false) => sourceOf({ bucket: "b", key }, literal ? { literal } : {});
  expect(source("a/b")).toEqual({ kind: "object", bucket: "b", key: "a/b" });
  expect(source("a/")).toEqual({ kind: "many", bucket: "b", prefix: "a/" });
  expect(source("")).toEqual({ kind: "many", bucket: "b", prefix: "" });
  expect(source("a/b-*/c/**/*.gz")).toEqual({ kind: "many", bucket: "b", prefix: "a/", include: "b-*/c/**/*.gz" });
  expect(source("*.gz")).toEqual({ kind: "many", bucket: "b", prefix: "", include: "*.gz" });
  expect(source("what?.txt", true)).toEqual({ kind: "object", bucket: "b", key: "what?.txt" });
  expect(source("a/", true)).toEqual({ kind: "object", bucket: "b", key: "a/" });
});

test("an object that goes into a bucket or a prefix keeps the last part of its key", () => {
  const from = { key: "a/b/c.txt" };
  expect(targetOf(from, { bucket: "o", key: "x.txt" })).toEqual({ bucket: "o", key: "x.txt" });
  expect(targetOf(from, { bucket: "o", key: "" })).toEqual({ bucket: "o", key: "c.txt" });
  expect(targetOf(from, { bucket: "o", key: "p/" })).toEqual({ bucket: "o", key: "p/c.txt" });
  expect(lastPart("a/b/")).toBe("b/");
  expect(lastPart("a")).toBe("a");
});

test("with --recursive a URL stands for all below it, whether it ends with / or not", () => {
  const below = (key: string) => sourceOf({ bucket: "b", key }, { recursive: true });
  expect(below("a/b")).toEqual({ kind: "many", bucket: "b", prefix: "a/b/" });
  expect(below("a/b/")).toEqual({ kind: "many", bucket: "b", prefix: "a/b/" });
  expect(below("")).toEqual({ kind: "many", bucket: "b", prefix: "" });
  expect(below("a/*.gz")).toMatchObject({ prefix: "a/", include: "*.gz" });
});
