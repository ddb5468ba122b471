import { once } from "node:events";
import { type AddressInfo, connect as connectTcp, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { createProducer } from "../../producer/index.ts";
import { redisUrl } from "../../test/fixtures.ts";
import { startHarness } from "../../test/harness.ts";

/** Passes on to the tests' Redis; when told to, it loses the connection in the moment in which Redis answers what it is looking for. */
async function lossy(isAnswer: (text: string) => boolean) {
  const { hostname, port } = new URL(redisUrl());
  const state = { armed: false, lost: 0 };
  const server = createServer((socket) => {
    const behind = connectTcp(Number(port), hostname);
    socket.pipe(behind);
    behind.on("data", (bytes) => {
      const loses = state.armed && isAnswer(bytes.toString("latin1"));
      if (loses) {
        state.armed = false;
        state.lost++;
        socket.destroy();
      } else socket.write(bytes);
    });
    for (const end of [socket, behind]) end.on("error", () => {});
    socket.on("close", () => behind.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return Object.assign(state, { url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}` }); // it listens on TCP
}

test("a job whose assignment was lost with the connection is not waited for until its lock runs out", async () => {
  const redis = await lossy((text) => text.includes("lost-one"));
  const harness = await startHarness({ redis: redis.url });
  onTestFinished(() => harness.close());
  harness.sandbox.createBucket("lost-one");
  // The app has a connection of its own, which is well.
  const app = createProducer({ redis: redisUrl(), prefix: harness.prefix });
  onTestFinished(() => app.close());
  redis.armed = true;
  const before = performance.now();
  expect(await app.run("head-bucket", { bucket: "lost-one" }, { timeout: 60_000 })).toMatchObject({
    bucket: { name: "lost-one" },
  });
  expect(redis.lost).toBe(1);
  expect(performance.now() - before).toBeLessThan(15_000);
}, 80_000);
