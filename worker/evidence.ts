import type { Redis } from "ioredis";
import type { Evidence } from "../jobs/handler.ts";
import type { CopyProof, Pin, UploadState } from "./s3/s3.ts";

/** Evidence of a job that never ends is dropped after so long. */
const TTL_S = 7 * 24 * 3600;
/** After success a second, late run of the same job (its lock was lost) still finds what the first proved. */
const AFTER_SUCCESS_S = 600;

/** Keeps the first value of a field and answers with it. One script, so two runs of one job agree. */
const FIRST_WINS = `
redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return redis.call('HGET', KEYS[1], ARGV[1])`;

/** The evidence of one job, in one Redis hash; nothing is written before a handler asks. */
export function createEvidence(
  redis: Redis,
  key: string,
  { lastAttempt = false } = {},
): Evidence & { release(): Promise<void> } {
  let touched = false;
  const read = async (field: string): Promise<unknown> => {
    const text = await redis.hget(key, field);
    return text === null ? undefined : JSON.parse(text);
  };
  const write = async (field: string, value: object) => {
    touched = true;
    await redis.multi().hset(key, field, JSON.stringify(value)).expire(key, TTL_S).exec();
  };
  return {
    async pinOnce(make) {
      touched = true;
      const known = await read("pin");
      if (known !== undefined) return known as Pin; // written below and nowhere else
      let made: Pin;
      try {
        made = await make();
      } catch (error) {
        // Another run of this job may have pinned meanwhile, and copied: then what was refused here is its own copy.
        const other = await read("pin");
        if (other === undefined) throw error;
        return other as Pin; // as above
      }
      const text = await redis.eval(FIRST_WINS, 1, key, "pin", JSON.stringify(made), TTL_S);
      return JSON.parse(String(text)) as Pin; // the winner's, in the same form
    },
    copied: async () => (await read("copy")) as CopyProof | undefined, // written by recordCopy
    recordCopy: (proof) => write("copy", proof),
    async forget() {
      await redis.del(key);
    },
    async release() {
      if (touched) await redis.expire(key, AFTER_SUCCESS_S);
    },
    upload: {
      lastAttempt,
      load: async () => (await read("upload")) as UploadState | undefined, // written by save
      save: (state) => write("upload", state),
      async clear() {
        await redis.hdel(key, "upload");
      },
    },
  };
}
