import { PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterEach, expect, test, vi } from "vitest";
import { errorOf } from "../../test/open-s3.ts";
import { downloadBody } from "./download-body.ts";

const about = { operation: "GetObject", bucket: "in", key: "a" };

function open(size: number): {
  source: PassThrough;
  body: ReturnType<typeof downloadBody>;
  controller: AbortController;
} {
  const source = new PassThrough();
  const controller = new AbortController();
  return {
    source,
    controller,
    body: downloadBody({ source, size, idleTimeoutMs: 100, signal: controller.signal, about }),
  };
}

afterEach(() => {
  vi.useRealTimers();
});

test("hands on exactly the bytes that were promised", async () => {
  const { source, body } = open(5);
  source.end("hello");
  expect(String(await buffer(body))).toBe("hello");
});

test.each([
  ["fewer", "hell"],
  ["more", "hello!"],
])("%s bytes than promised are an error, and the connection is given up", async (_, sent) => {
  const { source, body } = open(5);
  source.end(sent);
  expect(await errorOf(buffer(body))).toMatchObject({ code: "IncompleteBody", retryable: true });
  expect(source.destroyed).toBe(true);
});

test("a connection that closes without an end is an error", async () => {
  const { source, body } = open(5);
  source.write("hell");
  const read = errorOf(buffer(body));
  source.destroy();
  expect(await read).toMatchObject({ code: "IncompleteBody" });
});

test("the clock runs while the reader waits for the store, and never while the store waits for the reader", async () => {
  vi.useFakeTimers();
  const { source, body } = open(200_000);
  const failures: unknown[] = [];
  body.on("error", (error) => failures.push(error));
  source.write(Buffer.alloc(100_000));
  // The reader takes nothing: its buffer is full, and the store is not to blame.
  await vi.advanceTimersByTimeAsync(1_000);
  body.once("readable", () => body.read(1));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(failures).toEqual([]);
  // Now it takes all, and no more comes.
  body.resume();
  await vi.advanceTimersByTimeAsync(99);
  expect(failures).toEqual([]);
  await vi.advanceTimersByTimeAsync(2);
  expect(failures).toMatchObject([{ code: "Timeout", retryable: true }]);
  expect(source.destroyed).toBe(true);
});
