import { createHash } from "node:crypto";
import type { Cluster, Redis } from "ioredis";

export type ScriptArgument = string | number | Buffer;
/** What Redis answers to a script: nested arrays of buffers, integers and nil. */
export type ScriptReply = Buffer | number | null | ScriptReply[];

/** A Lua script. Every key it touches is in its KEYS, so that it runs on a Redis Cluster too. */
export type Script = { readonly lua: string; readonly sha: string };

export function defineScript(lua: string): Script {
  return { lua, sha: createHash("sha1").update(lua).digest("hex") };
}

/** Runs a script by its hash, and sends it along where Redis does not know it: the first time, and after a restart. */
export async function runScript(
  redis: Redis | Cluster,
  script: Script,
  keys: readonly string[],
  args: readonly ScriptArgument[],
): Promise<ScriptReply> {
  const rest = [keys.length, ...keys, ...args];
  try {
    return (await redis.callBuffer("EVALSHA", [script.sha, ...rest])) as ScriptReply; // every reply of RESP2 is one
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
    return (await redis.callBuffer("EVAL", [script.lua, ...rest])) as ScriptReply; // as above
  }
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
