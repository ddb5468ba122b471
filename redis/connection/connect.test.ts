import { once } from "node:events";
import { connect as connectTcp, createServer } from "node:net";
import type { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { redisUrl, uniquePrefix } from "../../test/fixtures.ts";
import { connectRedis } from "./connect.ts";

/** An address where connections are ended as soon as they come. */
async function refusing(): Promise<string> {
  const server = createServer((socket) => void socket.on("error", () => {}).destroy()).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  return `redis://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}

// BullMQ waits for the end of its blocking connection when a worker closes.
test.each(["itself", "a duplicate"])(
  "a connection ends when it is cut while it waits for its next attempt: %s",
  async (which) => {
    const client = connectRedis(await refusing()) as Redis; // its address is one server's
    const cut = which === "itself" ? client : client.duplicate();
    for (const one of new Set([client, cut])) one.on("error", () => {});
    onTestFinished(() => client.disconnect());
    const told = (event: string) => new Promise<void>((resolve) => void cut.once(event, () => resolve()));
    await told("reconnecting");
    const waiting = cut.get("a");
    waiting.catch(() => undefined); // expected below
    const ended = told("end");
    cut.disconnect();
    await ended;
    await expect(waiting).rejects.toThrow("Connection is closed");
  },
);

/** Passes on to a real Redis, until everything that was connected by then goes nowhere, with no end that anybody could see. */
async function vanishing() {
  const { hostname, port } = new URL(redisUrl());
  let gone = false;
  const server = createServer((socket) => {
    const away = gone;
    const behind = connectTcp(Number(port), hostname);
    socket.on("data", (bytes) => void (gone === away && behind.write(bytes)));
    behind.on("data", (bytes) => void (gone === away && socket.write(bytes)));
    for (const end of [socket, behind]) end.on("error", () => {});
    socket.on("close", () => behind.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  return {
    url: `redis://127.0.0.1:${typeof address === "object" ? address?.port : 0}`,
    vanish: () => void (gone = true),
  };
}

test("a connection that hangs without an end is found, also while it is idle, and its commands are done on a new one", async () => {
  const { url, vanish } = await vanishing();
  const clients = [connectRedis(url), connectRedis(url)] as const;
  onTestFinished(() => {
    for (const client of clients) client.disconnect();
  });
  const key = uniquePrefix();
  for (const client of clients) {
    client.on("error", () => {});
    await client.set(key, "before");
  }
  const [asking, idle] = clients;
  const found = new Promise<void>((resolve) => void idle.once("reconnecting", () => resolve()));
  vanish();
  expect(await asking.set(key, "after")).toBe("OK");
  await found;
  expect(await idle.get(key)).toBe("after");
}, 60_000);
