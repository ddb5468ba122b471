import { once } from "node:events";
import { connect } from "node:net";
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
