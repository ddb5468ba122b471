import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as batchScripts from "../../batches/state/batch-scripts.ts";
import * as chunkScripts from "../../batches/state/chunk-scripts.ts";
import { redisUrl } from "../../test/fixtures.ts";
import { loadScript } from "./load.ts";
import { runScript } from "./run.ts";

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

const scripts = Object.entries({ ...batchScripts, ...chunkScripts });

test.each(scripts)("Redis compiles %s", async (_name, script) => {
  expect(await redis.script("LOAD", script.lua)).toBe(script.sha);
});

test.each(scripts)("%s touches only keys that it is given", (_name, script) => {
  const calls = [...script.lua.matchAll(/call\('[A-Z]+', ?([^,)]+)/g)].map(([, key]) => key);
  expect(calls.filter((key) => !/^(keys\.\w+|key)$/.test(key ?? ""))).toEqual([]);
});
