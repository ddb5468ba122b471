import type { Redis } from "ioredis";
import { createServer, type Socket } from "node:net";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { connectRedis, endRedis } from "./connect.ts";
import { redisUrl, uniquePrefix } from "../../test/fixtures.ts";

/** A server that answers each command with `+OK`, and keeps how much came at a time. */
async function counting(): Promise<{ readonly url: string; readonly chunks: string[] }> {
  const chunks: string[] = [];
  const answer = (socket: Socket) =>
    socket.on("data", (chunk) => {
      const text = String(chunk);
      chunks.push(text);
      const commands = text.match(/^\*\d+\r$/gm)?.length ?? 0;
      socket.write(/\binfo\b/i.test(text) ? "$0\r\n\r\n".repeat(commands) : "+OK\r\n".repeat(commands));
    });
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  return { url: `redis://127.0.0.1:${typeof address === "object" ? address?.port : 0}`, chunks };
}

test.each(["a connection", "its duplicate"])("commands of one turn go out together: %s", async (which) => {
  const { url, chunks } = await counting();
  const first = connectRedis(url) as Redis; // its address is one server's
  const client = which === "a connection" ? first : first.duplicate();
  onTestFinished(() => [first, client].forEach((one) => one.disconnect()));
  await client.set("before", "it is connected");
  chunks.length = 0;
  const later = Promise.resolve().then(() => client.set("e", "5"));
  await Promise.all([client.set("a", "1"), client.set("b", "2"), client.set("c", "3"), later]);
  expect(chunks.filter((chunk) => chunk.includes("set"))).toHaveLength(1);
});

test("commands keep their order and their answers", async () => {
  const client = connectRedis(redisUrl());
  onTestFinished(() => endRedis(client, 1000));
  const key = uniquePrefix();
  const answers = await Promise.all(Array.from({ length: 100 }, () => client.incr(key)));
  expect(answers).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  await client.del(key);
});
