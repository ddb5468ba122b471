import type { ChainableCommander, Cluster, Redis } from "ioredis";
import { tellsNumbersAsText } from "../connection/apps-own.ts";
import type { LuaScript } from "./load.ts";

export type ScriptArgument = string | number | Buffer;
/** A value for each name; a list for the last one, where the script takes one. */
export type ScriptArguments<Argument extends string> = Readonly<
  Record<Argument, ScriptArgument | readonly ScriptArgument[]>
>;
/** A key for each name; a list for the last one, where the script takes one. */
export type ScriptKeys<Key extends string> = Readonly<Record<Key, string | readonly string[]>>;
/** What Redis answers to a script: nested arrays of buffers (text, where it came in a pipeline), integers and nil. */
export type ScriptReply = Buffer | string | number | null | ScriptReply[];

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
  keys: ScriptKeys<Key>,
  args: ScriptArguments<Argument>,
): Promise<ScriptReply> {
  const [count, rest] = inOrder(script, keys, args);
  // ioredis has them and types them not; `callBuffer` ends the process of an app whose connection pipelines by itself.
  const asked = redis as unknown as BufferScripts;
  const reply = await asked.evalshaBuffer(script.sha, count, ...rest).catch((error: unknown) => {
    if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
    return asked.evalBuffer(script.lua, count, ...rest);
  });
  return tellsNumbersAsText(redis) ? withNumbers(reply) : reply;
}

/** Text comes as bytes, so what came as text is a number. */
function withNumbers(reply: ScriptReply | string): ScriptReply {
  if (Array.isArray(reply)) return reply.map(withNumbers);
  return typeof reply === "string" ? Number(reply) : reply;
}

/** Puts a script into a pipeline. It goes along whole, as nobody can send it after a round trip; its reply comes as the pipeline's do, text as text. */
export function queueScript<Key extends string, Argument extends string>(
  pipeline: ChainableCommander,
  script: LuaScript<Key, Argument>,
  keys: ScriptKeys<Key>,
  args: ScriptArguments<Argument>,
): void {
  const [count, rest] = inOrder(script, keys, args);
  pipeline.eval(script.lua, count, ...rest);
}

/** Keys and arguments in the order that the script's file names them. */
function inOrder(
  script: LuaScript,
  keys: ScriptKeys<string>,
  args: ScriptArguments<string>,
): [keys: number, values: ScriptArgument[]] {
  const named = <Value>(values: Readonly<Record<string, Value>>, name: string): Value => {
    const value = values[name];
    if (value === undefined) throw new TypeError(`${script.name}: expected a value for ${name}`);
    return value;
  };
  const ordered = script.keys.flatMap((name) => named(keys, name));
  return [ordered.length, [...ordered, ...script.args.flatMap((name) => named(args, name))]];
}

/** A reply that is an array. */
export function replyList(reply: ScriptReply): ScriptReply[] {
  if (!Array.isArray(reply)) throw new TypeError(`expected a list from Redis, got ${String(reply)}`);
  return reply;
}

/** A reply as text; an absent one is empty. */
export function replyText(reply: ScriptReply | undefined): string {
  if (Buffer.isBuffer(reply)) return reply.toString("utf8");
  return typeof reply === "number" || typeof reply === "string" ? String(reply) : "";
}

export function replyBuffer(reply: ScriptReply | undefined): Buffer {
  if (!Buffer.isBuffer(reply)) throw new TypeError(`expected bytes from Redis, got ${String(reply)}`);
  return reply;
}
