import { lstat, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { runCli } from "../cli/command-harness.ts";
import { makeFolder } from "../cli/tour/folder.ts";
import { openDocumentStore } from "../documents/open.ts";

/** What is written where nobody said who may read it: a process that everything is open of by default. */
async function openFolder(): Promise<string> {
  const before = process.umask(0);
  onTestFinished(() => void process.umask(before));
  const path = await mkdtemp(join(tmpdir(), "bucketline-modes-"));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

/** What below a folder others may do, by path: `4` read, `2` write, `1` enter, of the group or of all. */
async function openTo(folder: string, rights: number): Promise<string[]> {
  const found = [];
  for (const name of await readdir(folder, { recursive: true })) {
    const { mode } = await lstat(join(folder, name));
    if ((mode & rights) !== 0) found.push(`${(mode & 0o777).toString(8)} ${name}`);
  }
  return found;
}

test("documents are their owner's alone, whole or half written, with every folder that was made for them", async () => {
  const folder = await openFolder();
  const store = await openDocumentStore(pathToFileURL(join(folder, ".bucketline/documents")).href);
  onTestFinished(() => store.close());
  await store.write("content", { name: "whole" });
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(1000);
    expect(await openTo(folder, 0o077)).toEqual([]);
    throw new Error("cut off");
  }
  await expect(store.write(broken(), { name: "half" })).rejects.toThrow("cut off");
  expect((await readdir(folder, { recursive: true })).length).toBeGreaterThan(3);
  expect(await openTo(folder, 0o077)).toEqual([]);
});

test("the tour's profiles are their owner's alone", async () => {
  const folder = await openFolder();
  await makeFolder(folder, {});
  expect(await openTo(folder, 0o077)).toEqual([]);
});

test("private seal keys are read by nobody else, and the public ones written by nobody else", async () => {
  const folder = await openFolder();
  const files = ["--private", join(folder, "private.json"), "--public", join(folder, "public.json")];
  expect(await runCli(["seal-keys", ...files])).toMatchObject({ code: 0 });
  expect(await openTo(folder, 0o022)).toEqual([]);
  expect(await openTo(folder, 0o077)).toEqual(["644 public.json"]);
});
