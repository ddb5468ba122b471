import { once } from "node:events";
import { createServer } from "node:net";
import type { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
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
