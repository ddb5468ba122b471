import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { boundConnections } from "./bound-connections.ts";

async function serve(fromProxy: boolean) {
  const server = createServer((socket) => void socket.on("error", () => {}));
  boundConnections(server, () => fromProxy, 3);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return () => {
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1"); // it listens to a port
    onTestFinished(() => void socket.destroy());
    const state = { closed: false };
    socket.on("error", () => {}).on("close", () => (state.closed = true));
    return { socket, state };
  };
}

test("a client holds so many connections and no more, and has another when one is over", async () => {
  const open = await serve(false);
  const held = [open(), open(), open()];
  await Promise.all(held.map(({ socket }) => once(socket, "connect")));
  const beyond = open();
  await vi.waitFor(() => expect(beyond.state.closed).toBe(true));
  expect(held.map(({ state }) => state.closed)).toEqual([false, false, false]);
  held[0]?.socket.destroy();
  await vi.waitFor(async () => {
    const next = open();
    await once(next.socket, "connect");
    next.socket.write("x");
    await expect(once(next.socket, "close", { signal: AbortSignal.timeout(200) })).rejects.toThrow("abort");
  });
});

test("a trusted proxy holds those of many", async () => {
  const open = await serve(true);
  const held = Array.from({ length: 10 }, open);
  await Promise.all(held.map(({ socket }) => once(socket, "connect")));
  expect(held.filter(({ state }) => state.closed)).toEqual([]);
});
