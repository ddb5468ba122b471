import type { Cluster, Redis } from "ioredis";
import type { LuaScript } from "./load.ts";

export type ScriptArgument = string | number | Buffer;
/** A value for each name; a list for the last one, where the script takes one. */
export type ScriptArguments<Argument extends string> = Readonly<
  Record<Argument, ScriptArgument | readonly ScriptArgument[]>
>;
/** What Redis answers to a script: nested arrays of buffers, integers and nil. */
export type ScriptReply = Buffer | number | null | ScriptReply[];

/** What every reply of RESP2 is, is what a script answers. */
type BufferScripts = Record<
  "evalshaBuffer" | "evalBuffer",
  (script: string, keys: number, ...rest: readonly ScriptArgument[]) => Promise<ScriptReply>
>;

/**
 * Runs a script by its hash, and sends it along where Redis does not know it: the first time, and after a restart.
 *
 * @throws TypeError where a key or argument is missing
 */
export async function runScript<Key extends string, Argument extends string>(
  redis: Redis | Cluster,
  script: LuaScript<Key, Argument>,
  keys: Readonly<Record<Key, string>>,
  args: ScriptArguments<Argument>,
): Promise<ScriptReply> {
  const rest = inOrder(script, keys, args);
  // ioredis has them and types them not; `callBuffer` ends the process of an app whose connection pipelines by itself.
  const asked = redis as unknown as BufferScripts;
  try {
    return await asked.evalshaBuffer(script.sha, script.keys.length, ...rest);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
    return await asked.evalBuffer(script.lua, script.keys.length, ...rest);
  }
}

/** Keys and arguments in the order that the script's file names them. */
function inOrder(
  script: LuaScript,
  keys: Readonly<Record<string, string>>,
  args: ScriptArguments<string>,
): ScriptArgument[] {
  const named = <Value>(values: Readonly<Record<string, Value>>, name: string): Value => {
    const value = values[name];
    if (value === undefined) throw new TypeError(`${script.name}: expected a value for ${name}`);
    return value;
  };
  return [...script.keys.map((name) => named(keys, name)), ...script.args.flatMap((name) => named(args, name))];
}

/** A reply that is an array. */
export function replyList(reply: ScriptReply): ScriptReply[] {
  if (!Array.isArray(reply)) throw new TypeError(`expected a list from Redis, got ${String(reply)}`);
  return reply;
}

/** A reply as text; an absent one is empty. */
export function replyText(reply: ScriptReply | undefined): string {
  if (Buffer.isBuffer(reply)) return reply.toString("utf8");
  return typeof reply === "number" ? String(reply) : "";
}

export function replyBuffer(reply: ScriptReply | undefined): Buffer {
  if (!Buffer.isBuffer(reply)) throw new TypeError(`expected bytes from Redis, got ${String(reply)}`);
  return reply;
}
