import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { startRedis } from "../../sandbox/index.ts";
import { redisUrl } from "../../test/fixtures.ts";
import { checkRedis } from "./check.ts";

test("accepts a Redis that keeps what it accepts, and tells about it", async () => {
  const redis = new Redis(redisUrl());
  const facts = await checkRedis(redis, { probeKey: "bucketline:~probe" });
  expect(facts).toMatchObject({ evictionPolicy: "noeviction", version: expect.stringMatching(/^\d+\.\d+/) as string });
  redis.disconnect();
});

test("refuses a Redis that may drop jobs, unless told otherwise", async () => {
  await using server = await startRedis({ maxmemoryPolicy: "allkeys-lru" });
  const redis = new Redis(server.url);
  await expect(checkRedis(redis, { probeKey: "k" })).rejects.toMatchObject({
    code: "UnsafeRedis",
    message: expect.stringContaining("allkeys-lru") as string,
  });
  expect((await checkRedis(redis, { probeKey: "k", allowEviction: true })).evictionPolicy).toBe("allkeys-lru");
  redis.disconnect();
});

test("refuses a node of a cluster that does not hold our keys, and names the one that does", async () => {
  // A server that says what such a node says; three real nodes would say the same, in a minute.
  const server = createServer((socket) => {
    socket.on("data", (bytes) => {
      for (const command of bytes
        .toString()
        .split(/^\*\d+\r\n/m)
        .slice(1)) {
        const asked = command.toUpperCase();
        if (asked.includes("HELLO")) socket.write("-ERR unknown command 'HELLO'\r\n");
        else
          socket.write(/\bSET\b/.test(asked) && !asked.includes("SETINFO") ? "-MOVED 1 10.0.0.9:6379\r\n" : "+OK\r\n");
      }
    });
    socket.on("error", () => undefined); // the client has gone
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // a server on a port has no other
  const redis = new Redis(port, "127.0.0.1", { enableReadyCheck: false });
  redis.on("error", () => undefined); // what ioredis asks of every server at the start is answered so, too
  try {
    await expect(checkRedis(redis, { probeKey: "bucketline:~probe" })).rejects.toMatchObject({
      code: "UnsafeRedis",
      message: expect.stringContaining("10.0.0.9:6379") as string,
    });
  } finally {
    redis.disconnect();
    server.close();
  }
});

test("refuses a database that Redis does not have", async () => {
  const redis = new Redis(`${redisUrl()}/99`);
  redis.on("error", () => undefined); // ioredis tells of it, and goes on in database 0
  await expect(checkRedis(redis, { probeKey: "k" })).rejects.toMatchObject({
    code: "UnsafeRedis",
    message: expect.stringContaining("got 99") as string,
  });
  redis.disconnect();
});

test("names every command that a user may not call, and leaves nothing behind", async () => {
  await using server = await startRedis();
  const admin = new Redis(server.url);
  const may = "~app:* &app:* +@all -@admin -zpopmin -bzpopmin -xadd".split(" ");
  await admin.call("ACL", "SETUSER", "app", "on", ">secret", ...may);
  const redis = new Redis(server.url, { username: "app", password: "secret" });
  try {
    await expect(checkRedis(redis, { probeKey: "app:~probe" })).rejects.toMatchObject({
      code: "UnsafeRedis",
      message: expect.stringMatching(/missing: bzpopmin, xadd, zpopmin\. .*production\.md/) as string,
    });
    await admin.call("ACL", "SETUSER", "app", "+zpopmin", "+bzpopmin", "+xadd", "-evalsha");
    await expect(checkRedis(redis, { probeKey: "app:~probe" })).rejects.toThrow(/evalsha/);
    await admin.call("ACL", "SETUSER", "app", "+evalsha", "resetchannels");
    await expect(checkRedis(redis, { probeKey: "app:~probe" })).rejects.toThrow(/missing: publish/);
    await admin.call("ACL", "SETUSER", "app", "&app:*");
    expect((await checkRedis(redis, { probeKey: "app:~probe" })).evictionPolicy).toBe("noeviction");
    expect(await admin.keys("*:~probe:*")).toEqual([]);
  } finally {
    redis.disconnect();
    admin.disconnect();
  }
});
