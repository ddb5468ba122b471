import { createHash } from "node:crypto";
import type { RedisClient } from "../../redis/connection/client.ts";
import { loadScript } from "../../redis/scripts/load.ts";
import { replyList, replyText, runScript } from "../../redis/scripts/run.ts";
import type { ReplicaWait } from "../../redis/replica-wait.ts";
import type { Evidence } from "../../jobs/handler.ts";
import type { Pin } from "../../s3/interface.ts";
import { readPin, readProof, readUpload } from "./evidence-forms.ts";

/** Evidence of a job that never ends is dropped after so long. */
const TTL_S = 7 * 24 * 3600;
/** After success a second, late run of the same job (its lock was lost) still finds what the first proved. */
const AFTER_SUCCESS_S = 600;

const scriptKeys = ["evidence"] as const;
const keepFirstPin = loadScript(new URL("./scripts/keep-first-pin.lua", import.meta.url), {
  keys: scriptKeys,
  args: ["pin", "ttl"],
});
const noteBegun = loadScript(new URL("./scripts/note-begun.lua", import.meta.url), { keys: scriptKeys, args: ["ttl"] });
const writeEvidence = loadScript(new URL("./scripts/write-evidence.lua", import.meta.url), {
  keys: scriptKeys,
  args: ["field", "value", "ttl"],
});

export type EvidenceOptions = {
  /** No run of this job was started before: there is hardly anything to find, so the pin is made before Redis is asked. */
  readonly fresh?: boolean;
  readonly lastAttempt?: boolean;
  /** Asked for what was written to be on replicas before a source is deleted. */
  readonly replicas?: Pick<ReplicaWait, "survives"> | undefined;
};

/** What a run saw of the evidence, as it stands in Redis. */
function createSeen() {
  const seen = new Map<string, string>();
  return {
    note(field: string, text: string | null) {
      if (text !== null) seen.set(field, text);
      return text;
    },
    /** Which pin there is; `undefined` for jobs that have none. */
    pin(): string | undefined {
      const text = seen.get("pin");
      return text === undefined ? undefined : createHash("sha256").update(text).digest("hex").slice(0, 16);
    },
    fields: () => Object.fromEntries(seen),
    clear: () => seen.clear(),
  };
}

/** The evidence of one job, in one Redis hash; nothing is written before a handler asks. */
export function createEvidence(
  redis: RedisClient,
  key: string,
  { fresh = false, lastAttempt = false, replicas }: EvidenceOptions = {},
): Evidence & { release(): Promise<void> } {
  let touched = false;
  /** What came along with the pin just now. It answers once, for the question that follows at once; others are asked anew. */
  let copyBesidePin: { readonly text: string | null } | undefined;
  const seen = createSeen();
  const write = async (field: string, value: object) => {
    touched = true;
    const text = JSON.stringify(value);
    await runScript(redis, writeEvidence, { evidence: key }, { field, value: text, ttl: TTL_S });
    seen.note(field, text);
  };
  const pinOf = ([pin = null, copy = null]: (string | null)[]): Pin | undefined => {
    copyBesidePin = { text: seen.note("copy", copy) };
    seen.note("pin", pin);
    return readPin(pin);
  };
  const knownPin = async () => pinOf(await redis.hmget(key, "pin", "copy"));
  return {
    fresh,
    async pinOnce(make) {
      touched = true;
      const known = fresh ? undefined : await knownPin();
      if (known !== undefined) return known;
      const made = await orElse(make, knownPin);
      return made.by === "other" ? made.pin : (pinOf(await winner(redis, key, made.pin)) ?? made.pin);
    },
    async copied() {
      const beside = copyBesidePin;
      copyBesidePin = undefined;
      const text = beside === undefined ? seen.note("copy", await redis.hget(key, "copy")) : beside.text;
      // With the pin that it is of: a Redis that went back in time may have forgotten the one and not the other.
      const copy = readProof(text);
      if (copy === undefined) return undefined;
      const { of, ...proof } = copy;
      return of === seen.pin() ? proof : undefined;
    },
    recordCopy: (proof) => write("copy", { ...proof, of: seen.pin() }),
    async survives(signal) {
      await replicas?.survives({ key, fields: seen.fields() }, { signal });
    },
    async beganBefore() {
      touched = true;
      return (await runScript(redis, noteBegun, { evidence: key }, { ttl: TTL_S })) === 1;
    },
    async forget() {
      copyBesidePin = undefined;
      seen.clear();
      await redis.del(key);
    },
    async release() {
      if (touched) await redis.expire(key, AFTER_SUCCESS_S);
    },
    upload: uploadMemory(redis, key, { lastAttempt, write }),
  };
}

/** Another run of this job may have pinned meanwhile, and copied: then what is refused here is its own copy. */
async function orElse(
  make: () => Promise<Pin>,
  known: () => Promise<Pin | undefined>,
): Promise<{ readonly by: "us" | "other"; readonly pin: Pin }> {
  try {
    return { by: "us", pin: await make() };
  } catch (error) {
    const pin = await known();
    if (pin === undefined) throw error;
    return { by: "other", pin };
  }
}

/** The first pin, in its form, and the proof of a copy. */
async function winner(redis: RedisClient, key: string, made: Pin): Promise<(string | null)[]> {
  const first = { pin: JSON.stringify(made), ttl: TTL_S };
  const fields = replyList(await runScript(redis, keepFirstPin, { evidence: key }, first));
  return fields.map((field) => (field === null ? null : replyText(field)));
}

type Remembering = {
  readonly lastAttempt: boolean;
  readonly write: (field: string, value: object) => Promise<void>;
};

function uploadMemory(redis: RedisClient, key: string, { lastAttempt, write }: Remembering): Evidence["upload"] {
  return {
    lastAttempt,
    load: async () => readUpload(await redis.hget(key, "upload")),
    save: (state) => write("upload", state),
    async clear() {
      await redis.hdel(key, "upload");
    },
  };
}
