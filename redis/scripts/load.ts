import { createHash } from "node:crypto";
import { readHeader } from "./header.ts";
import { readScript } from "./read.ts";

/** A Lua script with named keys and arguments. Every key it touches is among them, so that it runs on a Redis Cluster too. */
export type LuaScript<Key extends string = string, Argument extends string = string> = {
  /** The file's name, for errors. */
  readonly name: string;
  readonly lua: string;
  readonly sha: string;
  readonly keys: readonly Key[];
  readonly args: readonly Argument[];
};

/**
 * Reads a script from a `.lua` file. Comments at its head say what it is given, and the file calls each by its name:
 *
 * ```lua
 * -- uses: batch.lua
 * -- keys: chunk
 * -- args: name owner fields...
 * redis.call('HSET', keys.chunk, 'o', args.owner, unpack(args.fields))
 * ```
 *
 * `uses` puts other files of the folder before it, with their keys. A last key or argument that ends with `...` is a list.
 * What is published reads no file: the build puts the texts in place of the URL, so callers write it out as in the example.
 *
 * @param declared what the caller will pass; the file must say the same
 * @throws TypeError where the file names other keys or arguments than `declared`, or uses one that nobody passes
 * @example
 * const parkChunk = loadScript(new URL("./park-chunk.lua", import.meta.url), { keys: ["chunk"], args: ["name", "owner"] });
 */
export function loadScript<const Key extends string, const Argument extends string>(
  file: URL,
  declared: { readonly keys: readonly Key[]; readonly args: readonly Argument[] },
): LuaScript<Key, Argument> {
  const { name, main, used } = readScript(file);
  const header = readHeader(main);
  const keys = [...used.flatMap((text) => readHeader(text).keys), ...header.keys];
  expectSame(name, "keys", { file: keys.map(plain), caller: declared.keys });
  expectSame(name, "args", { file: header.args.map(plain), caller: declared.args });
  const body = [...used, main].join("\n");
  expectKnown(name, body, declared);
  const lua = `${prologue(keys, header.args)}\n${body}`;
  return {
    name,
    lua,
    sha: createHash("sha1").update(lua).digest("hex"),
    keys: declared.keys,
    args: declared.args,
  };
}

const isList = (argument: string): boolean => argument.endsWith("...");
const plain = (argument: string): string => argument.replace("...", "");

/** Gives the keys and arguments their names. */
function prologue(keys: readonly string[], args: readonly string[]): string {
  return `local keys = {${assignments(keys, "KEYS")}}\nlocal args = {${assignments(args, "ARGV")}}`;
}

function assignments(names: readonly string[], from: string): string {
  const one = (name: string, at: number): string =>
    isList(name) ? `${plain(name)}={unpack(${from}, ${at + 1})}` : `${name}=${from}[${at + 1}]`;
  return names.map(one).join(", ");
}

function expectSame(
  name: string,
  what: string,
  { file, caller }: { readonly file: readonly string[]; readonly caller: readonly string[] },
): void {
  if (file.join(" ") === caller.join(" ")) return;
  throw new TypeError(
    `${name}: expected the ${what} ${file.join(" ")} that the file names, the caller passes ${caller.join(" ")}`,
  );
}

/** A name that nobody passes would be nil, and be found out only when Redis gets there. */
function expectKnown(
  name: string,
  body: string,
  known: { readonly keys: readonly string[]; readonly args: readonly string[] },
): void {
  for (const [, list, word] of body.matchAll(/\b(keys|args)\.(\w+)/g)) {
    if (list === undefined || word === undefined) continue;
    if (!known[list as "keys" | "args"].includes(word))
      // the expression matches nothing else
      throw new TypeError(
        `${name}: expected ${list}.${word} to be among its ${list}: ${known[list as "keys" | "args"].join(" ")}`,
      );
  }
}
