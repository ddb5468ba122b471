import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { redisUrl } from "../../test/fixtures.ts";
import { loadScript } from "./load.ts";
import { queueScript, runScript } from "./run.ts";

let redis: Redis;
let folder: string;

beforeAll(async () => {
  redis = new Redis(redisUrl());
  folder = await mkdtemp(join(tmpdir(), "bucketline-lua-"));
});
afterAll(async () => {
  redis.disconnect();
  await rm(folder, { recursive: true, force: true });
});

const file = async (name: string, text: string): Promise<URL> => {
  await writeFile(join(folder, name), text);
  return pathToFileURL(join(folder, name));
};

test("passes keys, arguments and a list by their names", async () => {
  await file("shared.lua", "-- keys: one\nlocal function first() return keys.one end\n");
  const lua =
    "-- uses: shared.lua\n-- keys: two\n-- args: a list...\nreturn {first(), keys.two, args.a, args.list[2], #args.list}\n";
  const script = loadScript(await file("named.lua", lua), { keys: ["one", "two"], args: ["a", "list"] });
  const reply = await runScript(redis, script, { two: "k2", one: "k1" }, { list: ["x", "y", 3], a: "a" });
  expect(String(reply)).toBe("k1,k2,a,y,3");
});

test("refuses a file that names other arguments than its caller, or uses one that nobody passes", async () => {
  const url = await file("other.lua", "-- keys: k\n-- args: a b\nreturn args.a\n");
  expect(() => loadScript(url, { keys: ["k"], args: ["a"] })).toThrow("other.lua: expected the args a b");
  expect(() => loadScript(url, { keys: [], args: ["a", "b"] })).toThrow("other.lua: expected the keys k");
  const typo = await file("typo.lua", "-- keys: k\n-- args: owner\nreturn args.onwer\n");
  expect(() => loadScript(typo, { keys: ["k"], args: ["owner"] })).toThrow("args.onwer");
});

test("refuses a call that leaves an argument out", async () => {
  const script = loadScript(await file("two.lua", "-- args: a b\nreturn args.b\n"), { keys: [], args: ["a", "b"] });
  const args = { a: 1 } as unknown as { a: number; b: number };
  await expect(runScript(redis, script, {}, args)).rejects.toThrow("two.lua: expected a value for b");
});

test("passes a list of keys, and goes along in a pipeline", async () => {
  const lua = "-- keys: one rest...\n-- args: a\nreturn {keys.one, #keys.rest, keys.rest[2], args.a}\n";
  const script = loadScript(await file("keys.lua", lua), { keys: ["one", "rest"], args: ["a"] });
  const keys = { one: "k1", rest: ["k2", "k3"] };
  expect(String(await runScript(redis, script, keys, { a: "a" }))).toBe("k1,2,k3,a");
  const pipeline = redis.pipeline();
  queueScript(pipeline, script, keys, { a: 7 });
  expect(await pipeline.exec()).toEqual([[null, ["k1", 2, "k3", "7"]]]);
});
