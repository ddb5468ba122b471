import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { createMemoryBudget } from "./memory-budget.ts";
import { createSending, linesFor } from "./sending.ts";

test("the last sixth of a large object goes with two thirds of the lines, a small one with all", () => {
  const large = { count: 60, concurrency: 9 };
  expect([1, 50, 51, 60].map((number) => linesFor(number, large))).toEqual([9, 9, 6, 6]);
  expect(linesFor(53, { count: 53, concurrency: 9 })).toBe(9);
  expect(linesFor(60, { count: 60, concurrency: 1 })).toBe(1);
});

/** Adds parts of one byte until that has to wait; tells how many are under way, and ends them one by one. */
async function fill({ concurrency, memory }: { concurrency: number; memory: number }) {
  const uploads = createMemoryBudget(memory);
  const sending = createSending({ sending: { partSize: 1, concurrency }, uploads }, 1, 8);
  const controller = new AbortController();
  const underWay: (() => void)[] = [];
  let added = 0;
  const all = (async () => {
    for (let number = 1; number <= 8; number += 1) {
      const part = Promise.withResolvers<void>();
      const send = async (): Promise<void> => {
        underWay.push(part.resolve);
        await part.promise;
      };
      await sending.add(number, send, controller);
      added += 1;
    }
    await sending.settled();
  })();
  await setImmediate();
  const seen = { lines: underWay.length, held: Math.max(added + 1, underWay.length) };
  for (let ended = 0; ended < 8; await setImmediate())
    for (let end = underWay.shift(); end !== undefined; end = underWay.shift()) {
      ended += 1;
      end();
    }
  await all;
  return { ...seen, left: [memory, 1].filter((bytes) => uploads.tryTake(bytes)) };
}

test("one part more than there are lines is held, and none beyond what all uploads may hold beside one of each", async () => {
  expect(await fill({ concurrency: 3, memory: 100 })).toMatchObject({ lines: 3, held: 4 });
  expect(await fill({ concurrency: 3, memory: 1 })).toMatchObject({ lines: 2, held: 2 });
  expect(await fill({ concurrency: 3, memory: 0 })).toMatchObject({ lines: 1, held: 1 });
});

test("all memory is given back", async () => {
  expect((await fill({ concurrency: 3, memory: 5 })).left).toEqual([5]);
});
