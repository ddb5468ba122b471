import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { Redis } from "ioredis";
import { expect, test, vi } from "vitest";
import { startRedis } from "./start-redis.ts";

async function ask<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { maxRetriesPerRequest: 1 });
  redis.on("error", () => undefined); // The command itself rejects.
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("starts a Redis that never evicts keys, and ends it", async () => {
  const redis = await startRedis();
  const policy = await ask(redis.url, (client) => client.config("GET", "maxmemory-policy"));
  expect(policy).toEqual(["maxmemory-policy", "noeviction"]);
  const pid = redis.pid!;
  expect(isAlive(pid)).toBe(true);
  await redis.stop();
  expect(isAlive(pid)).toBe(false);
});

test("keeps data over kill and restart with an append-only file, on the same address", async () => {
  await using redis = await startRedis({ appendonly: true, appendfsync: "always" });
  const { url, pid } = redis;
  await ask(url, (client) => client.set("kept", "yes"));
  await redis.kill();
  await expect(ask(url, (client) => client.ping())).rejects.toThrow(/closed|ECONNREFUSED|max retries/i);
  await redis.restart();
  expect(redis.url).toBe(url);
  expect(redis.pid).not.toBe(pid);
  expect(await ask(url, (client) => client.get("kept"))).toBe("yes");
});

test("uses a given server and leaves it running", async () => {
  await using own = await startRedis();
  const given = await startRedis({ url: own.url });
  expect(given).toMatchObject({ how: "given", url: own.url, pid: undefined });
  await expect(given.kill()).rejects.toThrow("was given");
  await given.stop();
  expect(await ask(own.url, (client) => client.ping())).toBe("PONG");
});

test("says at once that a given server does not answer, without its password", async () => {
  const error: Error = await startRedis({ url: "redis://:secret@127.0.0.1:1" }).then(
    () => new Error("started"),
    (reason: Error) => reason,
  );
  expect(error.message).toContain("redis://***@127.0.0.1:1 does not answer");
  expect(error.message).not.toContain("secret");
});

test("names the choices when there is no Redis at all", async () => {
  await expect(startRedis({ path: "/nonexistent" })).rejects.toThrow(/REDIS_URL.*redis-server.*valkey-server.*Docker/);
});

test("reports why a server did not come up", async () => {
  await using first = await startRedis();
  const port = Number(new URL(first.url).port);
  await expect(startRedis({ port })).rejects.toThrow(/does not answer.*(in use|already)/s);
  await expect(startRedis({ dir: "/nonexistent-directory" })).rejects.toThrow("nonexistent-directory");
});

test("ends with its parent, even when that is killed", async () => {
  const script = `
    import { startRedis } from ${JSON.stringify(new URL("./start-redis.ts", import.meta.url).href)};
    const redis = await startRedis();
    console.log(redis.pid);
    setInterval(() => {}, 1000);
  `;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface(parent.stdout), "line")) as [string];
  const pid = Number(line);
  expect(existsSync(`/proc/${pid}`) || isAlive(pid)).toBe(true);
  parent.kill("SIGKILL");
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 10_000 });
});
