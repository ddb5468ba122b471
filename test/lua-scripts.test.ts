import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadScript } from "../redis/scripts/load.ts";
import { sourcePaths } from "./architecture/read-source.ts";
import { redisUrl } from "./fixtures.ts";

const root = join(import.meta.dirname, "..");
const paths = sourcePaths(root).filter((path) => !/^(test|bench)\//.test(path));
const textOf = (path: string) => readFileSync(join(root, path), "utf8");
const files = paths.filter((path) => path.endsWith(".lua"));
const scripts = files.filter((path) => !isShared(path));
const callers = paths.filter((path) => /(?<!\.test)\.ts$/.test(path) && /\bloadScript\(/.test(textOf(path)));

/** Put before others that say `uses`, and never run by itself. */
function isShared(path: string): boolean {
  return files.some((other) => dirname(other) === dirname(path) && usedBy(other).includes(basename(path)));
}

function usedBy(path: string): string[] {
  return named(path, "uses");
}

function named(path: string, label: string): string[] {
  return (new RegExp(`^-- ${label}:(.*)$`, "m").exec(textOf(path))?.[1] ?? "").split(/\s+/).filter(Boolean);
}

/** As its caller loads it: with the keys that the files it uses name first. */
function load(path: string) {
  const keys = [...usedBy(path).map((other) => join(dirname(path), other)), path].flatMap((one) => named(one, "keys"));
  const plain = (names: string[]) => names.map((name) => name.replace("...", ""));
  const declared = { keys: plain(keys), args: plain(named(path, "args")) };
  return loadScript(pathToFileURL(join(root, path)), declared);
}

let redis: Redis;
beforeAll(() => {
  redis = new Redis(redisUrl());
});
afterAll(() => redis.disconnect());

test("no script is written into the program", () => {
  const inline = paths.filter(
    (path) => /(?<!\.test)\.ts$/.test(path) && /redis\.p?call\s*\(/.test(textOf(path).replaceAll(/^ \* .*$/gm, "")),
  );
  expect(inline).toEqual([]);
});

test.each(callers)("%s passes its scripts the keys and arguments that they name", async (path) => {
  // Loading a script compares them.
  expect(Object.keys((await import(join(root, path))) as object)).not.toEqual([]);
});

/** What the build can put the text in place of, so that it is in an app's bundle. */
const WRITTEN_OUT = /\bloadScript\(\s*new URL\("\.[\w./-]+\.lua", import\.meta\.url\)/g;
test.each(callers.filter((path) => path !== "redis/scripts/load.ts"))(
  "%s writes the names of its scripts out",
  (path) => {
    const text = textOf(path);
    expect(text.match(WRITTEN_OUT)).toHaveLength(text.match(/\bloadScript\(/g)?.length ?? 0);
  },
);

test("every script has a caller", () => {
  const called = callers.map(textOf).join("\n");
  expect(scripts.filter((path) => !called.includes(basename(path)))).toEqual([]);
});

describe.each(scripts)("%s", (path) => {
  test("is Lua to Redis", async () => {
    const script = load(path);
    expect(await redis.script("LOAD", script.lua)).toBe(script.sha);
  });

  test("touches only keys that it is given", () => {
    const calls = [...textOf(path).matchAll(/call\('[A-Z]+', ?([^,)]+)/g)].map(([, key]) => key);
    expect(calls.filter((key) => !/^(keys\.\w+|ended|key|bucket|args\.jobs|next)\b/.test(key ?? ""))).toEqual([]);
  });
});

const luac = ["luac", "luac5.1", "luac5.3", "luac5.4"].find((name) => spawnSync(name, ["-v"]).status === 0);

// Redis itself compiles them above; this tells of the files by themselves, where a compiler is installed.
test.skipIf(luac === undefined)("the compiler of Lua takes every file as it is", () => {
  const { status, stderr } = spawnSync(luac ?? "", ["-p", ...files], { cwd: root, encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});
