import { array, assert, asyncProperty, nat, string } from "fast-check";
import { expect, test } from "vitest";
import { readLines } from "./read-lines.ts";

async function* chunksOf(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let start = 0;
  for (const size of sizes) {
    yield bytes.subarray(start, start + size);
    start += size;
  }
  yield bytes.subarray(start);
}

async function linesOf(stream: AsyncIterable<Uint8Array>): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of readLines(stream)) lines.push(line);
  return lines;
}

test("gives back any lines, however their bytes are cut into chunks", async () => {
  const line = string({ unit: "binary", minLength: 1 }).filter((text) => !text.includes("\n") && text.isWellFormed());
  await assert(
    asyncProperty(array(line), array(nat({ max: 5 })), async (lines, sizes) => {
      const bytes = new TextEncoder().encode(lines.map((text) => `${text}\n`).join(""));
      expect(await linesOf(chunksOf(bytes, sizes))).toEqual(lines);
    }),
  );
});

test("a last line needs no newline, and a byte order mark is part of its line", async () => {
  expect(await linesOf(chunksOf(new TextEncoder().encode("\uFEFFa\nb"), []))).toEqual(["\uFEFFa", "b"]);
});
