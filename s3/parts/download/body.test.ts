import { once } from "node:events";
import { PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";
import { expect, test } from "vitest";
import { downloadBody } from "./body.ts";

const about = { operation: "GetObject", bucket: "in", key: "a" };

function open(signal = new AbortController().signal) {
  const source = new PassThrough();
  const body = downloadBody({ source, size: 6, idleTimeoutMs: 60_000, signal, about });
  return { source, body };
}

/** Unlike `once`, it does not take an error for its own. */
const closed = (stream: PassThrough) => new Promise((resolve) => stream.once("close", resolve));

test("an answer that breaks before anybody reads fails the reader, not the process", async () => {
  const { source, body } = open();
  source.destroy(Object.assign(new Error("aborted"), { code: "ECONNRESET" }));
  await closed(source);
  await expect(buffer(body)).rejects.toMatchObject({ code: "NetworkError", retryable: true });
});

test("an answer that ends too early before anybody reads fails the reader", async () => {
  const { source, body } = open();
  source.destroy();
  await closed(source);
  await expect(buffer(body)).rejects.toMatchObject({ code: "IncompleteBody", retryable: true });
});

test("an abort before anybody reads lets go of the connection and gives its reason to the reader", async () => {
  const controller = new AbortController();
  const { source, body } = open(controller.signal);
  controller.abort(new Error("cancelled"));
  expect(source.destroyed).toBe(true);
  await expect(buffer(body)).rejects.toThrow("cancelled");
});

test("an answer that breaks while it is read fails the reader at once", async () => {
  const { source, body } = open();
  source.write("abc");
  const read = buffer(body);
  await once(body, "data");
  source.destroy(new Error("aborted"));
  await expect(read).rejects.toMatchObject({ code: "NetworkError" });
});
