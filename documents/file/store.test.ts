import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ActivityError } from "../../model/activity-error.ts";
import type { DocumentStore } from "../interface.ts";
import { fileStoreError } from "./error.ts";
import { openDocumentStore } from "../open.ts";
import { fileHarness, liveBytes } from "../store-harness.ts";

const MIB = 1024 * 1024;
const HOUR_MS = 3600_000;

let harness: Awaited<ReturnType<typeof fileHarness>>;
let store: DocumentStore;
let later = 0;

beforeEach(async () => {
  later = 0;
  harness = await fileHarness();
  store = await harness.open({ now: () => Date.now() + later });
});
afterEach(async () => {
  expect(await harness.openFiles()).toEqual([]);
  await harness.close();
});

describe("the folder", () => {
  test("is made for its owner alone, with files for its owner alone", async () => {
    const root = join(harness.root, "made", "here");
    const made = await openDocumentStore(pathToFileURL(root).href);
    await made.write("secret", { name: "a" });
    expect((await stat(root)).mode & 0o777).toBe(0o700);
    for (const path of await harness.stored()) {
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      expect((await stat(join(path, ".."))).mode & 0o777).toBe(0o700);
    }
  });

  test("may hold other files, which no sweep touches", async () => {
    const others = ["mine.txt", "tmp/mine.tmp", "ab/c/mine.txt", "ab/mine"];
    await mkdir(join(harness.root, "ab", "c"), { recursive: true });
    const old = new Date(0);
    for (const name of others) {
      await writeFile(join(harness.root, name), "mine");
      await utimes(join(harness.root, name), old, old);
    }
    later = 1000 * HOUR_MS;
    expect(await store.sweep()).toEqual({ expired: 0, orphans: 0 });
    expect(await harness.stored()).toHaveLength(others.length);
  });

  test("that cannot be made is a typed error", async () => {
    await writeFile(join(harness.root, "file"), "");
    const url = pathToFileURL(join(harness.root, "file", "below")).href;
    await expect(openDocumentStore(url)).rejects.toMatchObject({ code: "DocumentStoreFailed", retryable: false });
  });

  test("is swept of a damaged document, which reading and looking up report", async () => {
    const pointer = await store.write("hello", { name: "a" });
    await harness.damage("cut");
    await expect(store.find(pointer.id)).rejects.toMatchObject({ code: "DocumentCorrupt" });
    expect(await store.usage()).toEqual({ documents: 0, bytes: 0 });
    expect(await store.sweep()).toEqual({ expired: 0, orphans: 1 });
    expect(await store.find(pointer.id)).toBeUndefined();
  });

  test("keeps an unfinished file for an hour after its last byte", async () => {
    await harness.plantLeftover();
    const [path = ""] = await harness.stored();
    const recently = new Date(Date.now() - HOUR_MS + 60_000);
    await utimes(path, recently, recently);
    expect((await store.sweep()).orphans).toBe(0);
  });

  test("tells a writer whose unfinished file was swept to try again", async () => {
    async function* source() {
      yield "half";
      later = 2 * HOUR_MS;
      expect((await store.sweep()).orphans).toBe(1);
      yield "more";
    }
    await expect(store.write(source(), { name: "a" })).rejects.toMatchObject({
      code: "DocumentIncomplete",
      retryable: true,
    });
    expect(await harness.stored()).toEqual([]);
  });
});

describe("a write that has a name for what it leaves", () => {
  const name = "job 1";
  const breaking = (error: ActivityError) =>
    (async function* () {
      yield Buffer.alloc(MIB, "a");
      yield Buffer.alloc(MIB, "b");
      throw error;
    })();
  const retryable = (code: "IncompleteBody" | "VerificationFailed") =>
    new ActivityError(code, "x", { retryable: true });
  const bytes = async (length: number) => {
    const chunks = (await store.leftover?.(name))?.read(length);
    return chunks === undefined ? "nothing is left" : await text(chunks);
  };

  test("leaves what came to another attempt, until that is stored", async () => {
    const write = store.write(breaking(retryable("IncompleteBody")), { name: "a", leftoverName: name });
    await expect(write).rejects.toMatchObject({ code: "IncompleteBody" });
    expect(await store.leftover?.(name)).toMatchObject({ size: 2 * MIB });
    expect(await bytes(MIB + 1)).toBe(`${"a".repeat(MIB)}b`);
    expect(await store.leftover?.("job 2")).toBeUndefined();
    await store.write("the whole", { name: "a", leftoverName: name });
    expect(await store.leftover?.(name)).toBeUndefined();
    expect(await harness.stored()).toHaveLength(1);
  });

  test.each([
    ["bytes that are not the content's", retryable("VerificationFailed")],
    ["what nobody will try again", new ActivityError("Cancelled", "x")],
  ])("leaves nothing of %s", async (_, error) => {
    await expect(store.write(breaking(error), { name: "a", leftoverName: name })).rejects.toBe(error);
    expect(await harness.stored()).toEqual([]);
  });

  test("is swept of it after an hour", async () => {
    await store.write(breaking(retryable("IncompleteBody")), { name: "a", leftoverName: name }).catch(() => undefined);
    expect((await store.sweep()).orphans).toBe(0);
    later = 2 * HOUR_MS;
    expect((await store.sweep()).orphans).toBe(1);
    expect(await harness.stored()).toEqual([]);
  });

  test("says that it may be tried again where less is there than it was", async () => {
    await store.write(breaking(retryable("IncompleteBody")), { name: "a", leftoverName: name }).catch(() => undefined);
    await expect(bytes(2 * MIB + 1)).rejects.toMatchObject({ code: "DocumentStoreFailed", retryable: true });
  });
});

describe("a full disk", () => {
  test("fails the write as retryable and leaves nothing behind", async () => {
    const { output } = await run("large", 0, "ulimit -f 1024");
    expect(output.error).toMatchObject({ code: "DiskFull", retryable: true });
    expect(await harness.stored()).toEqual([]);
  });

  test.each(["ENOSPC", "EDQUOT", "EFBIG"])("is DiskFull where the system says %s", (code) => {
    const error = Object.assign(new Error(`${code}: no`), { code, syscall: "write" });
    expect(fileStoreError(error, "file:///x", "write")).toMatchObject({
      code: "DiskFull",
      retryable: true,
      cause: error,
    });
  });

  test.each([
    ["EMFILE", true],
    ["EACCES", false],
  ])("is not confused with %s", (code, retryable) => {
    const error = Object.assign(new Error(`${code}: no`), { code, syscall: "open" });
    expect(fileStoreError(error, "file:///x", "write")).toMatchObject({ code: "DocumentStoreFailed", retryable });
  });
});

describe("a process that is killed", () => {
  test("flushes content before it renames, the folder before it removes what was replaced", async () => {
    await store.write("old", { name: "old", id: "fixed" });
    const { output } = await run("replace", 0);
    const steps = output.calls.map((call) => call.split(" ")[0]).filter((call) => !/readdir|mkdir/.test(call ?? ""));
    expect(steps).toEqual([
      "open", // the unfinished file
      "handle.write", // content
      "handle.write", // record
      "handle.sync",
      "rename",
      "open", // the folder
      "handle.sync",
      "unlink", // what was replaced
    ]);
  });

  test("at any step of a write leaves the old document or the new one, whole", { timeout: 60_000 }, async () => {
    const outcomes = new Set<string>();
    for (let step = 1, ended = false; !ended; step += 1) {
      await store.delete("fixed");
      await store.write("old content", { name: "old", id: "fixed", ttl: 86_400 });
      ended = (await run("replace", step)).signal === null;
      const found = await store.find("fixed");
      if (found === undefined) throw new Error(`nothing is there after a kill at step ${step}`);
      expect(await text(await store.read(found, { keep: true }))).toBe(`${found.name} content`);
      later = 2 * HOUR_MS;
      await store.sweep();
      later = 0;
      expect(await harness.stored()).toHaveLength(1);
      expect(await store.find("fixed")).toEqual(found);
      outcomes.add(found.name);
    }
    expect(outcomes).toEqual(new Set(["old", "new"]));
  });

  test(
    "at any step of a read leaves the document whole, or none; never one it replaced",
    { timeout: 60_000 },
    async () => {
      for (let step = 1, ended = false; !ended; step += 1) {
        await store.write("replaced", { name: "a", id: "fixed" });
        const [older = ""] = await harness.stored();
        const left = await readFile(older);
        await store.write("content", { name: "a", id: "fixed" });
        // As a writer leaves it that died before it could remove what it replaced.
        await writeFile(older, left);
        ended = (await run("consume", step)).signal === null;
        const found = await store.find("fixed");
        expect(["content", "none"]).toContain(found === undefined ? "none" : await text(await store.read(found)));
        await store.sweep();
        expect(await harness.stored()).toEqual([]);
      }
    },
  );

  test("at any moment loses nothing that it was told is stored", { timeout: 60_000 }, async () => {
    for (let round = 0; round < 5; round += 1) {
      const child = spawn(process.execPath, [CHILD, harness.root, "forever"], { stdio: ["ignore", "pipe", "inherit"] });
      const told: string[] = [];
      for await (const chunk of child.stdout.setEncoding("utf8")) {
        told.push(
          ...String(chunk)
            .split("\n")
            .filter((line) => line.length === 32),
        );
        if (told.length > 3 + round * 2) child.kill("SIGKILL");
      }
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      for (const id of [...told, "fixed"]) {
        const found = await store.find(id);
        if (found === undefined) throw new Error(`document ${id} is lost`);
        const content = await text(await store.read(found, { keep: true }));
        expect(new Set(content).size).toBe(1);
      }
      later = 2 * HOUR_MS;
      await store.sweep();
      later = 0;
      expect((await store.usage()).documents).toBe((await harness.stored()).length);
    }
  });
});

test("holds only a little of a large document in memory while it is written and read", async () => {
  const size = 64 * MIB;
  const start = liveBytes();
  let passed = 0;
  let peak = 0;
  const pass = (bytes: number) => {
    if (Math.floor(passed / (4 * MIB)) < Math.floor((passed + bytes) / (4 * MIB)))
      peak = Math.max(peak, liveBytes() - start);
    passed += bytes;
  };
  async function* source() {
    for (let sent = 0; sent < size; sent += 65_536) {
      pass(65_536);
      yield Buffer.alloc(65_536);
    }
  }
  const pointer = await store.write(source(), { name: "large", size });
  for await (const chunk of await store.read(pointer)) pass((chunk as Buffer).length); // it has no encoding
  expect(passed).toBe(2 * size);
  expect(peak).toBeLessThan(24 * MIB);
});

const CHILD = join(import.meta.dirname, "../mortal-child.fixture.ts");

type Output = { readonly calls: readonly string[]; readonly error?: ActivityError };

/** Runs a scenario of the child until it ends or dies, with a shell's limits on it. */
async function run(scenario: string, step: number, limits = "true") {
  const child = spawn(
    "bash",
    ["-c", `${limits} && exec "$0" "$@"`, process.execPath, CHILD, harness.root, scenario, String(step)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const [printed] = await Promise.all([text(child.stdout), once(child, "exit")]);
  // What the child printed; nothing where it died.
  const output = JSON.parse(printed || '{"calls":[]}') as Output;
  return { output, signal: child.signalCode };
}
