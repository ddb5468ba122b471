import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { Readable, Writable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { finished, pipeline } from "node:stream/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ActivityError } from "../model/activity-error.ts";
import type { DocumentPointer } from "../model/entities.ts";
import type { DocumentStore } from "./interface.ts";
import { fileHarness, s3Harness, type StoreHarness } from "./store-harness.ts";

const MIB = 1024 * 1024;
const HOUR_MS = 3600_000;

describe.each([
  ["file store", () => fileHarness()],
  ["S3 store", () => s3Harness()],
])("the %s", (_name, startHarness: () => Promise<StoreHarness>) => {
  let harness: StoreHarness;
  let store: DocumentStore;
  let later = 0;

  beforeEach(async () => {
    later = 0;
    harness = await startHarness();
    store = await harness.open({ now: () => Date.now() + later });
  });
  afterEach(async () => {
    expect(await harness.openFiles()).toEqual([]);
    await store.close();
    await harness.close();
  });

  test("removes the very document that a pointer names, and none that replaced it", async () => {
    const old = await store.write("same", { name: "a", id: "fixed", ttl: 60 });
    const newer = await store.write("same", { name: "a", id: "fixed", ttl: 120 });
    expect(await store.deleteExact(old)).toBe(false);
    expect(await store.find("fixed")).toEqual(newer);
    expect(await store.deleteExact(newer)).toBe(true);
    expect(await store.find("fixed")).toBeUndefined();
    expect(await store.deleteExact(newer)).toBe(false);
  });

  test("lists what there is, without what was replaced", async () => {
    await store.write("old", { name: "a", id: "fixed" });
    const newer = await store.write("newer", { name: "b", id: "fixed" });
    const other = await store.write("other", { name: "c", id: "other" });
    const all: DocumentPointer[] = [];
    for await (const pointer of store.list()) all.push(pointer);
    expect(all.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual([newer, other]);
    for await (const first of store.list()) {
      expect(first.id).toMatch(/fixed|other/);
      break;
    }
  });

  describe("written and read", () => {
    test("gives back what was written, under a pointer that describes it", async () => {
      const before = Date.now();
      const pointer = await store.write("hello", { name: "a.txt", contentType: "text/plain", ttl: 60 });
      expect(pointer).toMatchObject({
        name: "a.txt",
        size: 5,
        contentType: "text/plain",
        sha256: createHash("sha256").update("hello").digest("hex"),
        deleteAfterDownload: true,
      });
      expect(pointer.id).toMatch(/^[0-9a-f]{32}$/);
      expect(Date.parse(pointer.expiresAt)).toBeGreaterThanOrEqual(before + 60_000);
      expect(Date.parse(pointer.expiresAt)).toBeLessThanOrEqual(Date.now() + 60_000);
      expect(await store.find(pointer.id)).toEqual(pointer);
      expect(await text(await store.read(pointer))).toBe("hello");
    });

    test.each([
      ["a stream", () => Readable.from([Buffer.from("grü"), Buffer.from("ße")])],
      ["an async iterable of text", () => slowly(["gr", "üß", "e"])],
      ["bytes", () => new TextEncoder().encode("grüße")],
      ["text", () => "grüße"],
    ])("takes %s", async (_kind, source) => {
      expect(await text(await store.read(await store.write(source(), { name: "x" })))).toBe("grüße");
    });

    test("keeps an empty document", async () => {
      const pointer = await store.write(slowly([]), { name: "empty", size: 0 });
      expect(pointer.size).toBe(0);
      expect(await text(await store.read(pointer))).toBe("");
      expect(await store.find(pointer.id)).toBeUndefined();
    });

    test("keeps 20 MiB byte for byte, also in uneven pieces", async () => {
      const bytes = randomBytes(20 * MIB + 1);
      const pointer = await store.write(Readable.from(pieces(bytes, 300_007)), { name: "big" });
      expect(pointer.sha256).toBe(createHash("sha256").update(bytes).digest("hex"));
      expect((await buffer(await store.read(pointer))).equals(bytes)).toBe(true);
    });

    test.each(["../../etc/passwd", "a/b\\c", "ünïcødé 文件 🎉.pdf", '<script>"\u0000\r\n', "x".repeat(1024)])(
      "carries the name %j and lets it touch nothing",
      async (name) => {
        const pointer = await store.write("x", { name });
        expect((await store.find(pointer.id))?.name).toBe(name);
        expect(await text(await store.read(pointer))).toBe("x");
      },
    );

    test.each([
      [{ name: "" }, "name"],
      [{ name: "x".repeat(1025) }, "name"],
      [{ name: "x", contentType: "" }, "contentType"],
      [{ name: "x", ttl: 0 }, "ttl"],
      [{ name: "x", ttl: Number.NaN }, "ttl"],
      [{ name: "x", id: "../up" }, "id"],
      [{ name: "x", id: "" }, "id"],
    ])("refuses the options %j", async (options, field) => {
      await expect(store.write("x", options)).rejects.toMatchObject({ code: "InvalidInput", field });
      expect(await harness.stored()).toEqual([]);
    });

    test("refuses text that has no UTF-8, and what is neither text nor bytes", async () => {
      await expect(store.write("\ud83d", { name: "x" })).rejects.toMatchObject({ code: "InvalidInput" });
      await expect(store.write(Readable.from([{ a: 1 }]), { name: "x" })).rejects.toMatchObject({
        code: "InvalidInput",
      });
      expect(await harness.stored()).toEqual([]);
    });

    test("counts documents and bytes", async () => {
      expect(await store.usage()).toEqual({ documents: 0, bytes: 0 });
      await store.write("12345", { name: "a" });
      await store.write("123", { name: "b", id: "b" });
      await store.write("1", { name: "b", id: "b" });
      expect(await store.usage()).toEqual({ documents: 2, bytes: 6 });
    });

    test("deletes, and counts what is gone already as deleted", async () => {
      const pointer = await store.write("x", { name: "a" });
      await store.delete(pointer.id);
      expect(await store.find(pointer.id)).toBeUndefined();
      expect(await harness.stored()).toEqual([]);
      await store.delete(pointer.id);
    });

    test("is seen by another store on the same place", async () => {
      const pointer = await store.write("x", { name: "a" });
      const other = await harness.open();
      expect(await text(await other.read(pointer))).toBe("x");
      expect(await store.find(pointer.id)).toBeUndefined();
    });
  });

  describe("read once", () => {
    let pointer: DocumentPointer;
    const bytes = randomBytes(2 * MIB);
    beforeEach(async () => {
      pointer = await store.write(bytes, { name: "once" });
    });

    test.each([
      ["a loop", async (stream: Readable) => void (await buffer(stream))],
      ["a pipeline", (stream: Readable) => pipeline(stream, sink())],
      ["the flow of its events", (stream: Readable) => finished(stream.resume())],
    ])("is gone when %s has read it to its end", async (_way, readAll) => {
      await readAll(await store.read(pointer));
      expect(await store.find(pointer.id)).toBeUndefined();
      expect(await harness.stored()).toEqual([]);
      await expect(store.read(pointer)).rejects.toMatchObject({ code: "DocumentNotFound" });
    });

    test("stays when its reader stops early", async () => {
      for await (const chunk of await store.read(pointer)) {
        expect(chunk).toBeDefined();
        break;
      }
      expect(await buffer(await store.read(pointer, { keep: true }))).toEqual(bytes);
    });

    test("stays when its reader took every byte but not the end", async () => {
      const stream = await store.read(pointer);
      let taken = 0;
      stream.on("data", (chunk: Buffer) => {
        taken += chunk.length;
        if (taken === bytes.length) stream.destroy();
      });
      await once(stream, "close");
      expect(taken).toBe(bytes.length);
      expect(await store.find(pointer.id)).toEqual(pointer);
    });

    test("stays when its reader fails", async () => {
      const full = new Writable({ write: (_chunk, _encoding, done) => done(new Error("no room")) });
      await expect(pipeline(await store.read(pointer), full)).rejects.toThrow("no room");
      expect(await store.find(pointer.id)).toEqual(pointer);
    });

    test("stays when it is read with keep", async () => {
      await buffer(await store.read(pointer, { keep: true }));
      expect(await store.find(pointer.id)).toEqual(pointer);
    });

    test("stays when it was written to be kept, whatever its pointer was changed to", async () => {
      const kept = await store.write("x", { name: "kept", deleteAfterDownload: false });
      await buffer(await store.read(kept));
      await buffer(await store.read({ ...kept, deleteAfterDownload: true }));
      expect(await store.find(kept.id)).toEqual(kept);
    });

    test("comes whole to readers side by side", async () => {
      const streams = await Promise.all([1, 2, 3, 4].map(() => store.read(pointer)));
      const all = await Promise.all(streams.map((stream) => buffer(stream)));
      expect(all.every((read) => read.equals(bytes))).toBe(true);
      expect(await store.find(pointer.id)).toBeUndefined();
    });

    test("reads no further ahead than a little when its reader pauses", async () => {
      const stream = await store.read(pointer);
      await once(stream, "readable");
      expect(stream.readableLength).toBeLessThan(MIB);
      stream.destroy();
      await once(stream, "close");
    });
  });

  describe("what is not the document that the pointer names", () => {
    test.each(["flip", "cut"] as const)("is DocumentCorrupt and stays (%s)", async (how) => {
      const pointer = await store.write(randomBytes(MIB), { name: "a" });
      await harness.damage(how);
      await expect(consume(store, pointer)).rejects.toMatchObject({ code: "DocumentCorrupt", retryable: false });
      expect(await harness.stored()).not.toEqual([]);
    });

    test.each([
      ["sha256", { sha256: "0".repeat(64) }],
      ["size", { size: 4 }],
    ])("is DocumentCorrupt where the pointer's %s was changed", async (_what, change) => {
      const pointer = await store.write("hello", { name: "a" });
      await expect(consume(store, { ...pointer, ...change })).rejects.toMatchObject({ code: "DocumentCorrupt" });
      expect(await store.find(pointer.id)).toEqual(pointer);
    });

    test("is DocumentNotFound where there never was one", async () => {
      const pointer = await store.write("hello", { name: "a" });
      await expect(store.read({ ...pointer, id: "f".repeat(32) })).rejects.toMatchObject({ code: "DocumentNotFound" });
    });

    test.each(["../../etc/passwd", "a/b", "a\u0000b", ".", "", "x".repeat(129)])(
      "is InvalidInput for the id %j, before anything is touched",
      async (id) => {
        const pointer = { ...(await store.write("hello", { name: "a" })), id };
        await expect(store.read(pointer)).rejects.toMatchObject({ code: "InvalidInput", field: "id" });
        await expect(store.find(id)).rejects.toMatchObject({ code: "InvalidInput", field: "id" });
        await expect(store.delete(id)).rejects.toMatchObject({ code: "InvalidInput", field: "id" });
      },
    );

    test("is DocumentExpired after its time, swept or not", async () => {
      const pointer = await store.write("hello", { name: "a", ttl: 60 });
      later = 61_000;
      await expect(store.read(pointer)).rejects.toMatchObject({ code: "DocumentExpired", retryable: false });
      await store.sweep();
      await expect(store.read(pointer)).rejects.toMatchObject({ code: "DocumentExpired" });
    });
  });

  describe("a write that fails", () => {
    test.each([
      ["fewer", 6],
      ["more", 4],
    ])("leaves nothing where %s bytes come than promised", async (_what, size) => {
      const write = store.write(Readable.from([Buffer.from("hello")]), { name: "a", size });
      await expect(write).rejects.toMatchObject({ code: "DocumentIncomplete", retryable: true });
      expect(await harness.stored()).toEqual([]);
    });

    test("ends as soon as more comes than promised, however much would follow", async () => {
      async function* endless() {
        for (;;) yield Buffer.alloc(MIB);
      }
      const write = store.write(endless(), { name: "a", size: 3 * MIB });
      await expect(write).rejects.toMatchObject({ code: "DocumentIncomplete", retryable: true });
      expect(await harness.stored()).toEqual([]);
    });

    test("leaves nothing where its source breaks off after 20 MiB", async () => {
      const cause = new Error("connection lost");
      const write = store.write(failing(20, cause), { name: "a" });
      await expect(write).rejects.toMatchObject({ code: "DocumentIncomplete", retryable: true, cause });
      expect(await harness.stored()).toEqual([]);
    });

    test("passes on the typed error of its source", async () => {
      const cause = new ActivityError("NoSuchKey", "no object");
      await expect(store.write(failing(1, cause), { name: "a" })).rejects.toBe(cause);
      expect(await harness.stored()).toEqual([]);
    });

    test("refuses a stream that was read or destroyed before, instead of keeping an empty document", async () => {
      const read = Readable.from(["hello"]);
      await text(read);
      await expect(store.write(read, { name: "a" })).rejects.toMatchObject({ code: "DocumentIncomplete" });
      expect(await harness.stored()).toEqual([]);
    });

    test("ends at once on abort, also where the source hangs, and releases it", async () => {
      const abort = new AbortController();
      const reason = new Error("cancelled");
      const hanging = new Readable({ read: () => undefined });
      hanging.push(Buffer.alloc(9 * MIB));
      const write = store.write(hanging, { name: "a", signal: abort.signal });
      abort.abort(reason);
      await expect(write).rejects.toBe(reason);
      expect(hanging.destroyed).toBe(true);
      expect(await harness.stored()).toEqual([]);
    });

    test("ends on abort where a generator hangs in the middle", async () => {
      const abort = new AbortController();
      const reason = new Error("cancelled");
      async function* hanging() {
        for (let index = 0; index < 20; index += 1) yield Buffer.alloc(MIB);
        abort.abort(reason);
        await new Promise(() => undefined);
      }
      await expect(store.write(hanging(), { name: "a", signal: abort.signal })).rejects.toBe(reason);
      expect(await harness.stored()).toEqual([]);
    });

    test("ends on abort where a web stream hangs, and leaves nothing behind", async () => {
      const abort = new AbortController();
      const reason = new Error("enough");
      let pulls = 0;
      const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
        pulls += 1;
        if (pulls === 1) return controller.enqueue(Buffer.from("first"));
        setImmediate(() => abort.abort(reason));
        return new Promise<void>(() => {});
      };
      const write = store.write(new ReadableStream({ pull }, { highWaterMark: 0 }), {
        name: "a",
        signal: abort.signal,
      });
      await expect(write).rejects.toBe(reason);
      expect(await harness.stored()).toEqual([]);
    });

    test("does nothing where it was aborted before", async () => {
      const reason = new Error("cancelled");
      const signal = AbortSignal.abort(reason);
      const pointer = await store.write("x", { name: "a" });
      await expect(store.write("x", { name: "b", signal })).rejects.toBe(reason);
      await expect(store.read(pointer, { signal })).rejects.toBe(reason);
      await expect(store.find(pointer.id, { signal })).rejects.toBe(reason);
      await expect(store.delete(pointer.id, { signal })).rejects.toBe(reason);
      await expect(store.sweep({ signal })).rejects.toBe(reason);
      await expect(store.usage({ signal })).rejects.toBe(reason);
      expect(await store.find(pointer.id)).toEqual(pointer);
    });

    test("leaves the document that it would have replaced", async () => {
      const old = await store.write("old", { name: "a", id: "fixed" });
      await expect(store.write(failing(1, new Error("no")), { name: "a", id: "fixed" })).rejects.toThrow("broke off");
      expect(await text(await store.read(old))).toBe("old");
    });
  });

  test("a read ends on abort with the signal's reason, and the document stays", async () => {
    const pointer = await store.write(randomBytes(4 * MIB), { name: "a" });
    const abort = new AbortController();
    const reason = new Error("cancelled");
    const stream = await store.read(pointer, { signal: abort.signal });
    await once(stream, "readable");
    abort.abort(reason);
    await expect(buffer(stream)).rejects.toBe(reason);
    expect(await store.find(pointer.id)).toEqual(pointer);
  });

  test("an abort before anybody listens to the stream does not end the process", async () => {
    const abort = new AbortController();
    const stream = await store.read(await store.write("x", { name: "a" }), { signal: abort.signal });
    const closed = new Promise((resolve) => stream.on("close", resolve));
    abort.abort(new Error("cancelled"));
    await closed;
    await expect(text(stream)).rejects.toThrow("cancelled");
  });

  describe("a chosen id", () => {
    test("is replaced whole by the next write", async () => {
      const old = await store.write("old", { name: "a", id: "segment-1", deleteAfterDownload: false });
      const now = await store.write("newer", { name: "b", id: "segment-1" });
      expect(await store.find("segment-1")).toEqual(now);
      await expect(consume(store, old)).rejects.toMatchObject({ code: "DocumentCorrupt" });
      expect(await text(await store.read(now, { keep: true }))).toBe("newer");
      expect(await store.usage()).toEqual({ documents: 1, bytes: 5 });
    });

    test("is told apart from one that differs in case only", async () => {
      const lower = await store.write("lower", { name: "a", id: "abc" });
      const upper = await store.write("upper", { name: "a", id: "ABC" });
      expect(await text(await store.read(lower))).toBe("lower");
      expect(await text(await store.read(upper))).toBe("upper");
    });

    test("a reader of the old content never removes the new", async () => {
      const old = await store.write("old", { name: "a", id: "fixed" });
      const stream = await store.read(old);
      const now = await store.write("new", { name: "a", id: "fixed" });
      expect(await text(stream)).toBe("old");
      expect(await text(await store.read(now))).toBe("new");
    });

    test("is whole at every moment while it is rewritten, read, swept and looked up", async () => {
      const sizes = [10, 70_000, 300_000];
      const write = (round: number) =>
        store.write(Buffer.alloc(sizes[round % 3] ?? 0, round), { name: `round ${round}`, id: "busy" });
      await write(0);
      const state = { writing: true };
      const writer = async (first: number) => {
        for (let round = first; round < first + 12; round += 1) await write(round);
      };
      const writers = Promise.all([writer(100), writer(200)]).finally(() => {
        state.writing = false;
      });
      let whole = 0;
      const reader = async () => {
        while (state.writing) {
          const found = await store.find("busy");
          expect(found).toBeDefined();
          if (found !== undefined && (await readsWhole(store, found))) whole += 1;
        }
      };
      const sweeper = async () => {
        while (state.writing) expect((await store.sweep()).expired).toBe(0);
      };
      await Promise.all([writers, reader(), reader(), sweeper()]);
      expect(whole).toBeGreaterThan(0);
      await store.sweep();
      const last = await store.find("busy");
      expect(await store.usage()).toEqual({ documents: 1, bytes: last?.size });
    });
  });

  describe("the sweep", () => {
    test("removes what expired and keeps the rest", async () => {
      await store.write("1", { name: "short", ttl: 60 });
      await store.write("2", { name: "short", ttl: 60, id: "fixed" });
      const long = await store.write("3", { name: "long", ttl: 600 });
      expect(await store.sweep()).toEqual({ expired: 0, orphans: 0 });
      later = 61_000;
      expect(await store.sweep()).toEqual({ expired: 2, orphans: 0 });
      expect(await store.usage()).toEqual({ documents: 1, bytes: 1 });
      expect(await text(await store.read(long))).toBe("3");
      expect(await harness.stored()).toEqual([]);
    });

    test("removes what dead writers left, after an hour", async () => {
      await harness.plantLeftover();
      later = HOUR_MS - 60_000;
      expect(await store.sweep()).toEqual({ expired: 0, orphans: 0 });
      expect(await harness.stored()).toHaveLength(1);
      later = HOUR_MS + 60_000;
      expect(await store.sweep()).toEqual({ expired: 0, orphans: 1 });
      expect(await harness.stored()).toEqual([]);
    });

    test("removes side by side with other sweepers", async () => {
      for (let index = 0; index < 20; index += 1) await store.write("x", { name: "a", ttl: 1 });
      later = 2_000;
      await Promise.all([store.sweep(), store.sweep(), store.sweep()]);
      expect(await harness.stored()).toEqual([]);
    });

    test("leaves a document alone that somebody is writing", async () => {
      const gate = Promise.withResolvers<void>();
      async function* source() {
        yield Buffer.alloc(20 * MIB);
        await gate.promise;
        yield "end";
      }
      const write = store.write(source(), { name: "a" });
      await store.sweep();
      gate.resolve();
      expect((await write).size).toBe(20 * MIB + 3);
    });
  });
});

async function consume(store: DocumentStore, pointer: DocumentPointer): Promise<void> {
  await buffer(await store.read(pointer));
}

/** False where the document was replaced or read meanwhile; throws where it is torn. */
async function readsWhole(store: DocumentStore, pointer: DocumentPointer): Promise<boolean> {
  let bytes: Buffer;
  try {
    bytes = await buffer(await store.read(pointer, { keep: true }));
  } catch (error) {
    if (error instanceof ActivityError && /DocumentNotFound|it was replaced/.test(error.message)) return false;
    throw error;
  }
  expect(new Set(bytes).size).toBe(1);
  return true;
}

async function* slowly(parts: readonly string[]): AsyncGenerator<string> {
  for (const part of parts) {
    await new Promise(setImmediate);
    yield part;
  }
}

function* pieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function* failing(mebibytes: number, error: Error): AsyncGenerator<Buffer> {
  for (let index = 0; index < mebibytes; index += 1) yield Buffer.alloc(MIB);
  throw error;
}

function sink(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
