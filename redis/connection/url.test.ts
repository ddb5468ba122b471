import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readRedisUrl, withoutSecrets } from "./url.ts";
import { redisUrlOf } from "./url-from-environment.ts";

function file(name: string, content: string): string {
  const folder = mkdtempSync(join(tmpdir(), "bucketline-url-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

test("one server: host, port, database, and a user whose password holds anything", () => {
  expect(readRedisUrl("redis://cache")).toEqual({ kind: "node", options: { host: "cache", port: 6379, db: 0 } });
  expect(readRedisUrl("redis://app:p%40ss%2Fw%C3%B6rd%25@[::1]:7000/3")).toEqual({
    kind: "node",
    options: { host: "::1", port: 7000, db: 3, username: "app", password: "p@ss/wörd%" },
  });
  expect(readRedisUrl("redis://:secret@cache?family=6")).toMatchObject({
    options: { password: "secret", family: 6 },
  });
});

test("sentinels: the master's name, its database, and who they are to themselves", () => {
  const url =
    "redis+sentinel://app:a@s1:26379,s2,[::1]:7/my.master/2?sentinelPassword=b&natMap=10.0.0.2:6379=near:7001";
  expect(readRedisUrl(url)).toEqual({
    kind: "sentinel",
    options: {
      sentinels: [
        { host: "s1", port: 26379 },
        { host: "s2", port: 26379 },
        { host: "::1", port: 7 },
      ],
      name: "my.master",
      db: 2,
      username: "app",
      password: "a",
      sentinelPassword: "b",
      natMap: { "10.0.0.2:6379": { host: "near", port: 7001 } },
    },
  });
});

test("a cluster: its nodes, and what every node asks for", () => {
  expect(readRedisUrl("redis+cluster://app:a@h1:7000,h2")).toEqual({
    kind: "cluster",
    nodes: [
      { host: "h1", port: 7000 },
      { host: "h2", port: 6379 },
    ],
    options: { redisOptions: { username: "app", password: "a" } },
  });
});

test("TLS: files are read, and the name may be another than the host", () => {
  const ca = file("ca.pem", "authority");
  const tls = { ca: Buffer.from("authority"), servername: "redis.example.com" };
  const options = `?caFile=${ca}&serverName=redis.example.com`;
  expect(readRedisUrl(`rediss://h${options}`)).toMatchObject({ options: { tls } });
  expect(readRedisUrl(`rediss+cluster://h${options}`)).toMatchObject({ options: { redisOptions: { tls } } });
  expect(readRedisUrl(`rediss+sentinel://h/m${options}`)).toMatchObject({
    options: { tls, sentinelTLS: tls, enableTLSForSentinelMode: true },
  });
});

test.each([
  ["localhost:6379", /^InvalidInput: redis: expected redis:\/\//],
  ["http://host", /expected redis:\/\//],
  ["redis://", /expected redis:\/\//],
  ["redis://host:99999", /expected redis:\/\//],
  ["redis://a,b", /expected one host; several belong to redis\+sentinel/],
  ["redis://host/name", /expected a database by its number/],
  ["redis://u:%zz@host", /percent-encoding/],
  ["redis://host?password=hunter2", /expected no other options than caFile/],
  ["redis://host?caFile=/x", /caFile: expected rediss:\/\//],
  ["redis://host?sentinelPassword=hunter2", /sentinelPassword: expected only with redis\+sentinel/],
  ["rediss://host?certFile=/x", /certFile, keyFile: expected both or neither/],
  ["rediss://host?caFile=/does/not/exist", /caFile: expected a readable file at \/does\/not\/exist, got ENOENT/],
  ["redis+sentinel://host:26379", /expected the name of the master/],
  ["redis+sentinel://host/m/x", /expected a database by its number/],
  ["redis+cluster://host/1", /expected no database but 0/],
  ["redis+cluster://host?natMap=a", /natMap: expected told=reached pairs/],
  ["redis://host?family=5", /family: expected 4 or 6/],
])("refuses %s, and says what was expected", (url, expected) => {
  expect(() => readRedisUrl(url)).toThrow(expected);
  expect(() => readRedisUrl(url)).not.toThrow(/hunter2/);
});

test("for logs a URL loses its passwords, and keeps where it leads", () => {
  expect(withoutSecrets("redis+sentinel://app:hunter2@s1,s2/main?sentinelPassword=hunter3")).toBe(
    "redis+sentinel://app:***@s1,s2/main",
  );
  expect(withoutSecrets("redis://host:6379/1")).toBe("redis://host:6379/1");
});

test("what is kept apart from the URL becomes a part of it", () => {
  const problems: string[] = [];
  const env = {
    REDIS_URL: "rediss+sentinel://app@s1,s2/main",
    BUCKETLINE_REDIS_PASSWORD_FILE: file("password", "p@ss\n"),
    BUCKETLINE_REDIS_SENTINEL_PASSWORD: "b&c",
    BUCKETLINE_REDIS_CA_FILE: file("ca.pem", "authority"),
  };
  expect(readRedisUrl(redisUrlOf(env, problems))).toMatchObject({
    options: { username: "app", password: "p@ss", sentinelPassword: "b&c", tls: { ca: Buffer.from("authority") } },
  });
  expect(problems).toEqual([]);
});

test("the same thing said twice is a problem, and so is an empty file", () => {
  const problems: string[] = [];
  const empty = file("empty", "\n");
  redisUrlOf({ REDIS_URL: "redis://a:b@h", BUCKETLINE_REDIS_PASSWORD: "c", BUCKETLINE_REDIS_USERNAME: "d" }, problems);
  redisUrlOf({ REDIS_URL_FILE: empty }, problems);
  redisUrlOf({ BUCKETLINE_REDIS_PASSWORD: "a", BUCKETLINE_REDIS_PASSWORD_FILE: empty }, problems);
  expect(problems).toEqual([
    "BUCKETLINE_REDIS_USERNAME: expected either it or a user in REDIS_URL, got both",
    "BUCKETLINE_REDIS_PASSWORD: expected either it or a password in REDIS_URL, got both",
    `REDIS_URL_FILE: expected a value in ${empty}, which is empty`,
    "BUCKETLINE_REDIS_PASSWORD_FILE: expected either it or BUCKETLINE_REDIS_PASSWORD, got both",
  ]);
});
