import { once } from "node:events";
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { redisUrl, uniquePrefix } from "../../test/fixtures.ts";
import { connectRedis } from "./connect.ts";

/** Listens on a port of its own until the test ends. */
async function listening(serve: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    serve(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(() => {
    cut();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, cut, count: () => sockets.size }; // it listens on TCP
}

/** A server that is the tests' Redis, under another address. */
async function master() {
  const { hostname, port } = new URL(redisUrl());
  return await listening((socket) => {
    const behind = connectTcp(Number(port), hostname).on("error", () => {});
    socket.pipe(behind).pipe(socket);
    socket.on("close", () => behind.destroy());
  });
}

/** A sentinel that knows the master's address and nothing else. */
async function sentinel() {
  const state = { port: 0, asked: 0 };
  const { port } = await listening((socket) => {
    socket.on("data", (bytes) => {
      for (const command of bytes.toString().split(/(?=\*\d+\r\n\$)/)) {
        const isQuestion = /get-master-addr-by-name/i.test(command);
        if (isQuestion) state.asked++;
        socket.write(
          isQuestion
            ? `*2\r\n$9\r\n127.0.0.1\r\n$${String(state.port).length}\r\n${state.port}\r\n`
            : /sentinels/i.test(command)
              ? "*0\r\n"
              : "+OK\r\n",
        );
      }
    });
  });
  return Object.assign(state, { url: `redis+sentinel://127.0.0.1:${port}/main` });
}

test("a connection follows the sentinels' word, and is not cut off where it has found the new master by itself", async () => {
  const [first, second, third, watcher] = [await master(), await master(), await master(), await sentinel()];
  watcher.port = first.port;
  const client = connectRedis(watcher.url);
  client.on("error", () => {});
  onTestFinished(() => client.disconnect());
  const key = uniquePrefix();
  await client.set(key, "1", "EX", 60);
  const askedMore = async (times: number) => {
    const before = watcher.asked;
    await vi.waitFor(() => expect(watcher.asked).toBeGreaterThanOrEqual(before + times), 10_000);
  };
  await askedMore(1);
  // An operator's failover: the old master is well, and would go on taking writes.
  watcher.port = second.port;
  await vi.waitFor(() => expect(second.count()).toBe(1), 10_000);
  expect(await client.get(key)).toBe("1");
  await askedMore(1);
  // A crash: the connection is lost, and asks its way.
  watcher.port = third.port;
  second.cut();
  expect(await client.get(key)).toBe("1");
  await askedMore(2);
  expect(third.count()).toBe(1);
}, 40_000);
