import { Redis } from "ioredis";
import { expect, onTestFinished, test, vi } from "vitest";
import { startRedis } from "../../sandbox/index.ts";
import { checkRedis } from "./check.ts";
import { connectRedis, cutRedis, lastRefusal } from "../connection/connect.ts";
import { watchWrites } from "./write-watch.ts";

async function serverOf(): Promise<{ port: number; url: string; admin: Redis }> {
  const server = await startRedis();
  const admin = new Redis(server.url);
  onTestFinished(async () => {
    admin.disconnect();
    await server.stop();
  });
  return { port: Number(new URL(server.url).port), url: server.url, admin };
}

function connected(url: string) {
  const client = connectRedis(url);
  client.on("error", () => {});
  onTestFinished(() => cutRedis(client));
  return client;
}

test("a server that becomes a replica takes no writes, and does again when it is a master, without anybody's doing", async () => {
  const [one, two] = [await serverOf(), await serverOf()];
  const client = connected(two.url);
  const on = { lost: vi.fn<(trouble: string) => void>(), back: vi.fn<() => void>() };
  const watch = watchWrites(client, "k", on);
  onTestFinished(() => watch.close());
  await two.admin.replicaof("127.0.0.1", one.port);
  await vi.waitFor(() => expect(watch.trouble()).toMatch(/READONLY/), 15_000);
  expect(on.lost).toHaveBeenCalledTimes(1);
  const written = client.set("waits", "for a master");
  await two.admin.replicaof("NO", "ONE");
  await vi.waitFor(() => expect(watch.trouble()).toBeUndefined(), 15_000);
  expect(on.back).toHaveBeenCalledTimes(1);
  expect(await written).toBe("OK");
}, 40_000);

test("a replica is refused at the start, with what to set", async () => {
  const [one, two] = [await serverOf(), await serverOf()];
  await two.admin.replicaof("127.0.0.1", one.port);
  await vi.waitFor(async () => expect(await two.admin.info("replication")).toContain("master_link_status:up"), 15_000);
  const client = connected(two.url);
  await expect(checkRedis(client, { probeKey: "k" })).rejects.toMatchObject({
    code: "UnsafeRedis",
    message: expect.stringMatching(/read-only replica of 127\.0\.0\.1:\d+ .*redis\+sentinel/) as string,
  });
  expect(lastRefusal(client)).toBeUndefined();
}, 40_000);

test("a connection that is cut while it waits to connect again ends, and its commands with it", async () => {
  const client = connectRedis("redis://127.0.0.1:1");
  client.on("error", () => {});
  const waiting = client.set("a", "b");
  waiting.catch(() => {});
  await vi.waitFor(() => expect(client.status).toBe("reconnecting"), 5000);
  cutRedis(client);
  await expect(waiting).rejects.toThrow(/closed/i);
  await vi.waitFor(() => expect(client.status).toBe("end"), 5000);
});
