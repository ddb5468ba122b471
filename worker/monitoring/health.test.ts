import { once } from "node:events";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { startHealth } from "./health.ts";

test("answers 404 to a path that is no URL, and lives on", async () => {
  const health = await startHealth(
    { live: () => true, ready: () => ({ ready: true, checks: {} }) },
    { host: "127.0.0.1", port: 0 },
  );
  // fetch would send another path.
  const socket = connect(health.port, "127.0.0.1");
  await once(socket, "connect");
  socket.write("GET // HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 404 /);
  expect((await fetch(`http://127.0.0.1:${health.port}/livez?from=probe`)).status).toBe(200);
  await health.close();
});

test("tells this machine what is missing, and strangers only that something is", async () => {
  const address = Object.values(networkInterfaces())
    .flatMap((found) => found ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal)?.address;
  const health = await startHealth(
    { live: () => true, ready: () => ({ ready: false, checks: { redis: false } }) },
    { host: "0.0.0.0", port: 0 },
  );
  const ask = async (host: string) => {
    const answer = await fetch(`http://${host}:${health.port}/readyz`);
    return [answer.status, await answer.json()];
  };
  expect(await ask("127.0.0.1")).toEqual([503, { ready: false, checks: { redis: false } }]);
  // A machine that has no other address has no strangers either.
  const strangers = address === undefined ? [503, { ready: false }] : await ask(address);
  expect(strangers).toEqual([503, { ready: false }]);
  await health.close();
});

test("holds nobody's connection that says nothing, and answers beside many of them", async () => {
  const health = await startHealth(
    { live: () => true, ready: () => ({ ready: true, checks: {} }) },
    { host: "127.0.0.1", port: 0 },
  );
  const silent = Array.from({ length: 100 }, () => connect(health.port, "127.0.0.1"));
  await Promise.all(silent.map((socket) => once(socket, "connect")));
  for (const socket of silent) socket.write("GET /livez HTTP/1.1\r\nHost: x\r\n");
  expect((await fetch(`http://127.0.0.1:${health.port}/livez`)).status).toBe(200);
  // Read to its end, it says that it took too long.
  const answers = await Promise.all(silent.map((socket) => text(socket)));
  expect(new Set(answers.map((answer) => answer.slice(0, 12)))).toEqual(new Set(["HTTP/1.1 408"]));
  await health.close();
}, 30_000);
