import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, expectTypeOf, test } from "vitest";
import type { Connection } from "../credentials/connection.ts";
import { openDocumentStore } from "./open.ts";
import type { OwnSettings } from "../s3/own/settings.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "bucketline-documents-"));
});
afterEach(() => rm(root, { recursive: true }));

test("opens a folder, also one with odd characters in its name", async () => {
  const url = pathToFileURL(join(root, "with space and %41 ü")).href;
  const store = await openDocumentStore(url);
  expect(store.location).toBe(url);
});

test.each([
  ["s3://bucket", "s3://bucket/", "default"],
  ["s3://bucket/", "s3://bucket/", "default"],
  ["s3://My_bucket.1/a/b", "s3://My_bucket.1/a/b/", "default"],
  ["s3://bucket/a/b/?profile=archive", "s3://bucket/a/b/", "archive"],
])("opens %s as %s with the profile %s", async (url, location, profile) => {
  const asked: string[] = [];
  const s3 = (name: string): OwnSettings => {
    asked.push(name);
    return { region: "eu-central-1" };
  };
  const store = await openDocumentStore(url, { s3 });
  await store.close();
  expect(store.location).toBe(location);
  expect(asked).toEqual([profile]);
});

test.each([
  "",
  "/var/documents",
  "file:relative",
  "file://host/dir",
  "file:///dir?x=1",
  "file:///%zz",
  "http://bucket/prefix",
  "s3://",
  "s3:///prefix",
  "s3://key:secret@bucket/prefix",
  "s3://bucket:80/prefix",
  "s3://bucket/a//b",
  "s3://bucket/a/../b",
  "s3://bucket/a b",
  "s3://bucket/a#b",
  "s3://bucket/a?profil=x",
  "s3://bucket/a?profile=",
  "s3://bucket/a?profile=a&profile=b",
])("refuses %j, and repeats none of it", async (url) => {
  const error: unknown = await openDocumentStore(url).catch((failure: unknown) => failure);
  expect(error).toMatchObject({ code: "InvalidConfiguration", retryable: false });
  expect(String(error)).not.toContain("secret");
});

test("takes a worker's connection as settings", () => {
  expectTypeOf<Connection>().toExtend<OwnSettings>();
});

test("loads the AWS SDK for a bucket only", () => {
  const loaded = (url: string) => {
    const script = `
      import { registerHooks } from "node:module";
      const urls = [];
      registerHooks({ load: (url, context, next) => { urls.push(url); return next(url, context); } });
      const { openDocumentStore } = await import(${JSON.stringify(import.meta.resolve("./open.ts"))});
      await openDocumentStore(process.argv[1], { s3: () => ({ region: "eu-central-1" }) });
      console.log(urls.filter((url) => /node_modules.@(aws-sdk|smithy)/.test(url)).length);`;
    return Number(execFileSync(process.execPath, ["--input-type=module", "--eval", script, url], { encoding: "utf8" }));
  };
  expect(loaded(pathToFileURL(root).href)).toBe(0);
  expect(loaded("s3://bucket/prefix")).toBeGreaterThan(0);
});
