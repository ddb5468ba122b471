import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { type FileHandle, mkdir, open, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { ActivityError } from "../../model/activity-error.ts";
import type { PlacedContent, Span } from "../../model/content/placed.ts";
import type { DocumentStore, WriteOptions } from "../interface.ts";
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

describe("pieces that come with their places", () => {
  const size = 5 * MIB + 7;
  const whole = randomBytes(size);
  const sha256 = createHash("sha256").update(whole).digest("hex");
  const options = { name: "a", leftoverName: "job 1" };
  const retryable = (code: "IncompleteBody" | "VerificationFailed") =>
    new ActivityError(code, "x", { retryable: true });

  /** Content of `bytes` whose pieces of 700,000 bytes come from the last to the first; `stop` is thrown instead of the first one. */
  function pieces({ bytes = whole, stop, said = sha256 }: { bytes?: Buffer; stop?: Error; said?: string } = {}) {
    const asked: number[] = [];
    let expected: readonly Span[] = [];
    const content: PlacedContent = {
      size,
      expect(have) {
        expected = have;
      },
      async deliver(have, place) {
        const gaps = [...have, { start: size, end: size }].map(({ start }, index) => [
          have[index - 1]?.end ?? 0,
          start,
        ]);
        const cuts = gaps.flatMap(([from = 0, to = 0]) =>
          Array.from({ length: Math.ceil((to - from) / 700_000) }, (__, index) => {
            const start = from + index * 700_000;
            return { start, end: Math.min(to, start + 700_000) };
          }),
        );
        for (const { start, end } of cuts.toReversed()) {
          if (start === 0 && stop !== undefined) throw stop;
          asked.push(end - start);
          await place([bytes.subarray(start, start + 1), bytes.subarray(start + 1, end)], start);
        }
      },
      release: () => undefined,
      comparison: {
        kind: { algorithm: "sha256" },
        check: async (digest) => {
          if (digest !== said) throw retryable("VerificationFailed");
        },
      },
    };
    return { content, expected: () => expected, asked: () => asked.reduce((sum, length) => sum + length, 0) };
  }
  const write = async (content: PlacedContent, given: WriteOptions = options) => {
    if (store.writePlaced === undefined) throw new Error("expected a store that writes at places");
    return await store.writePlaced(content, given);
  };

  test("become the document, hashed in their order", async () => {
    const { content } = pieces();
    const document = await write(content);
    expect(document).toMatchObject({ size, sha256 });
    expect((await buffer(await store.read(document))).equals(whole)).toBe(true);
    expect(await harness.stored()).toEqual([]);
  });

  test("are not asked for again where an earlier attempt had them, block by block", async () => {
    await expect(write(pieces({ stop: retryable("IncompleteBody") }).content)).rejects.toMatchObject({
      code: "IncompleteBody",
    });
    const other = pieces();
    await write(other.content, { ...options, leftoverName: "job 2" });
    expect(other.asked()).toBe(size);
    const again = pieces();
    const document = await write(again.content);
    expect(again.expected()).toEqual([{ start: MIB, end: size }]);
    expect(again.asked()).toBe(MIB);
    expect((await buffer(await store.read(document, { keep: true }))).equals(whole)).toBe(true);
    // Both documents, and nothing that was left.
    expect(await harness.stored()).toHaveLength(2);
  });

  test.each([
    ["bytes that are not the content's", { said: "other" }, "VerificationFailed"],
    ["what nobody will try again", { stop: new ActivityError("Cancelled", "x") }, "Cancelled"],
  ])("leave nothing of %s", async (_, given, code) => {
    await expect(write(pieces({ stop: retryable("IncompleteBody") }).content)).rejects.toThrow("x");
    await expect(write(pieces(given).content)).rejects.toMatchObject({ code });
    expect(await harness.stored()).toEqual([]);
  });

  test("are asked for again where nobody can compare the whole", async () => {
    await expect(write(pieces({ stop: retryable("IncompleteBody") }).content)).rejects.toThrow("x");
    const again = pieces();
    const { size: all, deliver, release } = again.content;
    expect(await write({ size: all, deliver, release })).toMatchObject({ sha256 });
    expect(again.asked()).toBe(size);
  });

  test.each([
    ["stop where the disk refuses what came before, and leave nothing", 96],
    ["leave nothing where the disk refuses what came before the last of them", 64],
  ])("%s", { timeout: 30_000 }, async (_, megabytes) => {
    await using handle = await open(import.meta.filename);
    const refusal = Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO", syscall: "fdatasync" });
    const flush = vi.spyOn(Object.getPrototypeOf(handle) as FileHandle, "datasync").mockRejectedValueOnce(refusal);
    onTestFinished(() => flush.mockRestore());
    const piece = Buffer.alloc(8 * MIB);
    let placed = 0;
    const content: PlacedContent = {
      size: megabytes * MIB,
      async deliver(_have, place) {
        for (; placed < megabytes * MIB; placed += piece.length) await place([piece], placed);
      },
      release: () => undefined,
    };
    await expect(write(content)).rejects.toMatchObject({ code: "DocumentStoreFailed", cause: refusal });
    expect(flush).toHaveBeenCalledTimes(1);
    expect(placed).toBe(64 * MIB);
    expect(await harness.stored()).toEqual([]);
  });

  test("are a whole document also where the disk is slow to take notes of them", async () => {
    await using handle = await open(import.meta.filename);
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    const { writev } = prototype;
    const slow = vi.spyOn(prototype, "writev").mockImplementation(async function (this: FileHandle, chunks, at) {
      if (typeof at === "number" && at > size + 64 * 1024) await delay(100);
      return await writev.call(this, chunks, at);
    });
    onTestFinished(() => slow.mockRestore());
    const document = await write(pieces().content);
    expect((await buffer(await store.read(document))).equals(whole)).toBe(true);
  });

  test("stop where the disk refuses a note of them", async () => {
    await using handle = await open(import.meta.filename);
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    const { writev } = prototype;
    const refusal = Object.assign(new Error("EIO: i/o error, write"), { code: "EIO", syscall: "write" });
    const failing = vi.spyOn(prototype, "writev").mockImplementation(async function (this: FileHandle, chunks, at) {
      if (typeof at === "number" && at > size + 64 * 1024) throw refusal;
      return await writev.call(this, chunks, at);
    });
    onTestFinished(() => failing.mockRestore());
    await expect(write(pieces().content)).rejects.toMatchObject({ code: "DocumentStoreFailed", cause: refusal });
    expect(await harness.stored()).toEqual([]);
  });

  test("are swept after an hour", async () => {
    await expect(write(pieces({ stop: retryable("IncompleteBody") }).content)).rejects.toThrow("x");
    expect((await store.sweep()).orphans).toBe(0);
    later = 2 * HOUR_MS;
    expect((await store.sweep()).orphans).toBe(1);
    expect(await harness.stored()).toEqual([]);
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
      "handle.writev", // content
      "handle.writev", // record
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
