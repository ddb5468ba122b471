import { afterEach, beforeEach, expect, test } from "vitest";
import type { DocumentStore } from "./interface.ts";
import { readNdjson, writeNdjson } from "./ndjson.ts";
import { fileHarness } from "./store-harness.ts";

let harness: Awaited<ReturnType<typeof fileHarness>>;
let store: DocumentStore;

beforeEach(async () => {
  harness = await fileHarness();
  store = await harness.open();
});
afterEach(async () => {
  expect(await harness.openFiles()).toEqual([]);
  await harness.close();
});

test("gives back the values that were written, one by one", async () => {
  const values = [{ key: "a\nb", size: 1 }, "text", 0, null, [], { deep: [{}] }];
  const pointer = await writeNdjson(store, values, { name: "list" });
  expect(pointer.contentType).toBe("application/x-ndjson");
  expect(await collect(readNdjson(store, pointer))).toEqual(values);
  expect(await store.find(pointer.id)).toBeUndefined();
});

test("keeps characters whole that lie across the pieces of a read", async () => {
  async function* values() {
    for (let index = 0; index < 30_000; index += 1) yield { index, key: "文🎉ü".repeat(index % 7) };
  }
  const pointer = await writeNdjson(store, values(), { name: "list" });
  expect(pointer.size).toBeGreaterThan(512 * 1024);
  const read = await collect(readNdjson(store, pointer));
  expect(read).toEqual(await collect(values()));
});

test("writes and reads an empty list", async () => {
  expect(await collect(readNdjson(store, await writeNdjson(store, [], { name: "list" })))).toEqual([]);
});

test("reads what others write: blank lines, CRLF, a byte order mark, no last line break", async () => {
  const pointer = await store.write('\ufeff{"a":1}\r\n\n  \n{"a":2}', { name: "list" });
  expect(await collect(readNdjson(store, pointer))).toEqual([{ a: 1 }, { a: 2 }]);
});

test.each([
  ["no JSON", '{"a":1}\n\n{"a":', 3],
  ["no UTF-8", Buffer.from([0x31, 0x0a, 0x22, 0xff, 0x22, 0x0a]), 2],
  ["too long", Buffer.concat([Buffer.from("1\n2\n"), Buffer.alloc(5 * 1024 * 1024, "x")]), 3],
])("names the line that is wrong (%s), and keeps the document", async (_what, content, line) => {
  const pointer = await store.write(content, { name: "list" });
  await expect(collect(readNdjson(store, pointer))).rejects.toMatchObject({
    code: "DocumentMalformed",
    field: `line ${line}`,
    retryable: false,
  });
  expect(await store.find(pointer.id)).toEqual(pointer);
});

test("keeps a document whose reader stops early", async () => {
  const pointer = await writeNdjson(store, [1, 2, 3], { name: "list" });
  for await (const value of readNdjson(store, pointer)) {
    expect(value).toBe(1);
    break;
  }
  expect(await store.find(pointer.id)).toEqual(pointer);
});

test("refuses a value that JSON has no word for, and leaves nothing", async () => {
  const write = writeNdjson(store, [1, undefined], { name: "list" });
  await expect(write).rejects.toMatchObject({ code: "InvalidInput", message: expect.stringContaining("value 2") });
  expect(await harness.stored()).toEqual([]);
});

test("ends with DocumentCorrupt where the document is not what was written", async () => {
  const pointer = await writeNdjson(store, [100, 200], { name: "list" });
  await expect(collect(readNdjson(store, { ...pointer, sha256: "0".repeat(64) }))).rejects.toMatchObject({
    code: "DocumentCorrupt",
  });
});

async function collect(values: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const value of values) all.push(value);
  return all;
}
