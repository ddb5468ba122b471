import type { ChainableCommander } from "ioredis";
import { loadScript } from "./scripts/load.ts";
import { queueScript } from "./scripts/run.ts";

const script = loadScript(new URL("./cut-fields.lua", import.meta.url), { keys: ["hash"], args: ["most", "fields"] });

/** The longest field that is looked at where many are, in bytes: ours are a tenth of it. */
export const FIELD_BYTES = 256 * 1024;

/** Asks for fields of a hash, as HMGET does, and is given no more than `most` bytes of each: JSON that is longer is then none. */
export function queueFields(
  pipeline: ChainableCommander,
  hash: string,
  fields: readonly string[],
  most: number = FIELD_BYTES,
): void {
  queueScript(pipeline, script, { hash }, { most, fields });
}
