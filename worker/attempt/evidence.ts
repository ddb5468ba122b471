import type { RedisClient } from "../../redis/connection/client.ts";
import type { ReplicaWait } from "../../redis/replica-wait.ts";
import type { Evidence } from "../../jobs/handler.ts";
import type { CopyProof, Pin, UploadState } from "../../s3/interface.ts";

/** Evidence of a job that never ends is dropped after so long. */
const TTL_S = 7 * 24 * 3600;
/** After success a second, late run of the same job (its lock was lost) still finds what the first proved. */
const AFTER_SUCCESS_S = 600;

/** Keeps the first pin and answers with it, and with the proof of a copy. One script, so two runs of one job agree. */
const FIRST_WINS = `
redis.call('HSETNX', KEYS[1], 'pin', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return redis.call('HMGET', KEYS[1], 'pin', 'copy')`;

/** Notes that the effect is about to be asked for; 1 where that was noted before. */
const BEGIN = `
local first = redis.call('HSETNX', KEYS[1], 'began', '1')
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1 - first`;

/** One script instead of a transaction, which costs ioredis several times as much. */
const WRITE = `
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])`;

export type EvidenceOptions = {
  /** No run of this job was started before: there is hardly anything to find, so the pin is made before Redis is asked. */
  readonly fresh?: boolean;
  readonly lastAttempt?: boolean;
  /** Asked for what was written to be on replicas before a source is deleted. */
  readonly replicas?: Pick<ReplicaWait, "survives"> | undefined;
};

const parse = (text: string | null): unknown => (text === null ? undefined : JSON.parse(text));

/** The evidence of one job, in one Redis hash; nothing is written before a handler asks. */
export function createEvidence(
  redis: RedisClient,
  key: string,
  { fresh = false, lastAttempt = false, replicas }: EvidenceOptions = {},
): Evidence & { release(): Promise<void> } {
  let touched = false;
  /** What came along with the pin just now. It answers once, for the question that follows at once; others are asked anew. */
  let copyBesidePin: { readonly text: string | null } | undefined;
  /** As it stands in Redis. */
  const seen = new Map<string, string>();
  const note = (field: string, text: string | null) => {
    if (text !== null) seen.set(field, text);
    return text;
  };
  const write = async (field: string, value: object) => {
    touched = true;
    const text = JSON.stringify(value);
    await redis.eval(WRITE, 1, key, field, text, TTL_S);
    note(field, text);
  };
  const pinOf = ([pin = null, copy = null]: (string | null)[]): Pin | undefined => {
    copyBesidePin = { text: note("copy", copy) };
    note("pin", pin);
    return parse(pin) as Pin | undefined; // written below and nowhere else
  };
  const knownPin = async () => pinOf(await redis.hmget(key, "pin", "copy"));
  return {
    fresh,
    async pinOnce(make) {
      touched = true;
      const known = fresh ? undefined : await knownPin();
      if (known !== undefined) return known;
      let made: Pin;
      try {
        made = await make();
      } catch (error) {
        // Another run of this job may have pinned meanwhile, and copied: then what was refused here is its own copy.
        const other = await knownPin();
        if (other === undefined) throw error;
        return other;
      }
      // The winner's, in the same form; the script answers with the two fields that it asks for.
      const fields = (await redis.eval(FIRST_WINS, 1, key, JSON.stringify(made), TTL_S)) as (string | null)[];
      return pinOf(fields) ?? made;
    },
    async copied() {
      const beside = copyBesidePin;
      copyBesidePin = undefined;
      const text = beside === undefined ? note("copy", await redis.hget(key, "copy")) : beside.text;
      return parse(text) as CopyProof | undefined; // written by recordCopy
    },
    recordCopy: (proof) => write("copy", proof),
    async survives(signal) {
      await replicas?.survives({ key, fields: Object.fromEntries(seen) }, { signal });
    },
    async beganBefore() {
      touched = true;
      return (await redis.eval(BEGIN, 1, key, TTL_S)) === 1;
    },
    async forget() {
      copyBesidePin = undefined;
      seen.clear();
      await redis.del(key);
    },
    async release() {
      if (touched) await redis.expire(key, AFTER_SUCCESS_S);
    },
    upload: {
      lastAttempt,
      load: async () => parse(await redis.hget(key, "upload")) as UploadState | undefined, // written by save
      save: (state) => write("upload", state),
      async clear() {
        await redis.hdel(key, "upload");
      },
    },
  };
}
