import type { Cluster, Redis } from "ioredis";
import type { LuaScript } from "../../redis/scripts/load.ts";
import { runScript, type ScriptArguments, type ScriptReply } from "../../redis/scripts/run.ts";
import { type BatchKeys, batchKeys } from "./keys.ts";

/** A Redis, the keys of batches in it, and a way to run their scripts. */
export type Access = ReturnType<typeof createAccess>;

export function createAccess(redis: Redis | Cluster, prefix: string) {
  const keys = batchKeys(prefix);
  const run = <Argument extends string>(
    script: LuaScript<keyof BatchKeys, Argument>,
    id: string,
    args: ScriptArguments<Argument>,
  ): Promise<ScriptReply> => runScript(redis, script, keys.ofBatch(id), args);
  return { redis, prefix, keys, run };
}
