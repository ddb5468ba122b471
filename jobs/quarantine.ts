import type { RedisClient } from "../redis/connection/client.ts";
import { ActivityError } from "../model/activity-error.ts";
import { FIELD_BYTES, queueFields } from "../redis/cut-fields.ts";
import { isOwnKey, redisKeys } from "../redis/keys.ts";
import { loadScript } from "../redis/scripts/load.ts";
import { runScript } from "../redis/scripts/run.ts";

/** The raw text kept of a malformed job, in characters. */
const KEPT = 64 * 1024;
/** Jobs that are looked at in one go. */
const AT_ONCE = 100;

/** What job data looks like after it was put aside. */
export const QUARANTINED_DATA = { quarantined: true } as const;

const putAsideScript = loadScript(new URL("./put-aside.lua", import.meta.url), {
  keys: ["job", "wait", "active", "delayed", "prioritized", "failed", "quarantine", "events", "lock"],
  args: ["id", "reason", "now", "error", "record", "data", "name", "owned", "queue"],
});

/**
 * Finds jobs of a queue that BullMQ cannot read (data or options that are not JSON or of another shape, counters that are no
 * numbers, a key that is no hash) and puts them into quarantine, where they fail with
 * `MalformedJob` and break nothing: BullMQ by itself keeps such a job active for ever, and listing it throws.
 * Looks at `ids`, or at up to 1,000 of the active and the next waiting jobs. Returns the ids put aside.
 */
export async function quarantineMalformed(
  redis: RedisClient,
  { prefix, queue, ids }: { readonly prefix: string; readonly queue: string; readonly ids?: readonly string[] },
): Promise<readonly string[]> {
  const base = `${prefix}:${queue}`;
  const looked = ids ?? (await candidates(redis, base));
  const aside: string[] = [];
  for (let at = 0; at < looked.length; at += AT_ONCE)
    aside.push(...(await lookAt(redis, { prefix, queue, ids: looked.slice(at, at + AT_ONCE) })));
  return aside;
}

/** One round trip for all of them: pages of the dashboard look before each listing. */
async function lookAt(
  redis: RedisClient,
  { prefix, queue, ids }: { readonly prefix: string; readonly queue: string; readonly ids: readonly string[] },
): Promise<readonly string[]> {
  const base = `${prefix}:${queue}`;
  const reads = redis.pipeline();
  for (const id of ids) queueFields(reads.type(`${base}:${id}`), `${base}:${id}`, JOB_FIELDS);
  const replies = (await reads.exec()) ?? [];
  const aside: string[] = [];
  for (const [index, id] of ids.entries()) {
    const [failure, type] = replies[2 * index] ?? [];
    if (failure) throw failure;
    // Of a key that is no hash there are no fields, but an error.
    const texts = replies[2 * index + 1]?.[1] as readonly (string | null)[] | undefined; // HMGET's reply
    const found = { key: `${base}:${id}`, id, type: String(type), texts: texts ?? [] };
    const flaw = await flawOf(redis, found);
    if (flaw !== undefined && (await putAside(redis, { prefix, queue, id, ...flaw }))) aside.push(id);
  }
  return aside;
}

type Flaw = { readonly field: string; readonly expected: string; readonly raw: string; readonly owned: boolean };

type Found = {
  readonly key: string;
  readonly id: string;
  readonly type: string;
  /** Of {@link JOB_FIELDS}. */
  readonly texts: readonly (string | null)[];
};

/** What keeps a job from being read; `undefined` where it can be. */
async function flawOf(redis: RedisClient, { key, id, type, texts }: Found): Promise<Flaw | undefined> {
  if (type === "none") return undefined;
  if (type !== "hash" || isOwnKey(id)) {
    const owned = isOwnKey(id) || id.includes(":");
    const raw = type === "string" && !owned ? await redis.getrange(key, 0, KEPT) : "";
    return { field: "job", expected: `a hash of its own, got a ${type}`, raw, owned };
  }
  const job = Object.fromEntries(JOB_FIELDS.map((field, index) => [field, texts[index] ?? null] as const));
  const flaw = malformedField(job);
  return flaw && { ...flaw, raw: job[flaw.field] ?? "", owned: false };
}

/** The fields of a job's hash that BullMQ reads as something other than text. */
const JOB_FIELDS = ["data", "opts", "progress", "parent", "rjk", "atm", "ats", "stc"] as const;

/** The first field of {@link JOB_FIELDS} that BullMQ would stumble over, and what it expects there. */
function malformedField(
  job: Readonly<Record<string, string | null>>,
): { readonly field: string; readonly expected: string } | undefined {
  for (const field of ["data", "opts", "progress", "parent"])
    if (parsed(job[field]) === NOT_JSON)
      return { field, expected: tooLong(job[field]) ? `JSON of at most ${FIELD_BYTES} bytes` : "JSON" };
  for (const field of ["opts", "parent"])
    if (job[field] && !isObject(parsed(job[field]))) return { field, expected: "a JSON object" };
  for (const field of ["atm", "ats", "stc"])
    if (!/^(?:-?\d{1,15})?$/.test(job[field] ?? "")) return { field, expected: "a whole number" };
  const opts = parsed(job["opts"]);
  if (job["rjk"] && !(isObject(opts) && isObject(opts["repeat"])))
    return { field: "opts", expected: "the rule of its schedule at repeat" };
  return undefined;
}

/** What was cut is not whole, and no job of ours is as long. */
const tooLong = (text: string | null | undefined): boolean => Buffer.byteLength(text ?? "") >= FIELD_BYTES;

const NOT_JSON = Symbol("not JSON");

/** `undefined` where there is no text. */
function parsed(text: string | null | undefined): unknown {
  if (text === null || text === undefined || text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return NOT_JSON; // the answer, not an error
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function candidates(redis: RedisClient, base: string): Promise<string[]> {
  const [active, waiting, prioritized, delayed] = await Promise.all([
    redis.lrange(`${base}:active`, 0, 999),
    redis.lrange(`${base}:wait`, -1000, -1),
    redis.zrange(`${base}:prioritized`, "0", "999"),
    redis.zrange(`${base}:delayed`, "0", "999"),
  ]);
  return [...active, ...waiting, ...prioritized, ...delayed];
}

type Malformed = Flaw & { readonly prefix: string; readonly queue: string; readonly id: string };

async function putAside(redis: RedisClient, { prefix, queue, id, ...flaw }: Malformed): Promise<boolean> {
  const { field, expected, raw, owned } = flaw;
  const base = `${prefix}:${queue}`;
  const error = new ActivityError("MalformedJob", `${queue} job ${id}: ${field}: expected ${expected}`, { field });
  const record = JSON.stringify({
    reason: error.message,
    field,
    raw: raw.slice(0, KEPT),
    at: new Date(Date.now()).toISOString(),
  });
  const keys = {
    job: `${base}:${id}`,
    wait: `${base}:wait`,
    active: `${base}:active`,
    delayed: `${base}:delayed`,
    prioritized: `${base}:prioritized`,
    failed: `${base}:failed`,
    quarantine: redisKeys(prefix).quarantine(),
    events: `${base}:events`,
    lock: `${base}:${id}:lock`,
  };
  const args = {
    id,
    reason: error.message,
    now: Date.now(),
    error: JSON.stringify(error),
    record,
    data: JSON.stringify(QUARANTINED_DATA),
    name: `${queue}/${id}`,
    owned: owned ? "1" : "0",
    queue,
  };
  return (await runScript(redis, putAsideScript, keys, args)) === 1;
}
