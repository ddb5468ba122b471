import type { ChainableCommander, Redis } from "ioredis";
import { BATCH_KEYS, batchKeys } from "../../batches/state/keys.ts";
import { OWN_KEYS, redisKeys } from "../../redis/keys.ts";

/** The things of which a world has one each, to name keys after. */
export type Named = {
  readonly queue: string;
  readonly job: string;
  readonly birth: string;
  readonly batch: string;
  readonly schedule: string;
  readonly group: string;
  readonly worker: string;
  readonly bucket: string;
};

export type Kind = { readonly name: string; readonly key: string };

/** One key of each kind that Bucketline has in Redis. A kind that is added to redis/keys.ts does not compile until it has a line here. */
function kindsOf(prefix: string, named: Named): readonly Kind[] {
  const { queue, job, birth, batch, schedule, group, worker, bucket } = named;
  const keys = redisKeys(prefix);
  const ours: Record<Exclude<keyof typeof keys, "cancelChannel" | "batches">, string> = {
    idempotency: keys.idempotency(queue, job),
    cancelled: keys.cancelled(queue, job),
    leasedObjects: keys.leasedObjects(bucket),
    leasedRanges: keys.leasedRanges(bucket),
    evidence: keys.evidence(queue, job, birth),
    job: keys.job(queue, job),
    prioritized: keys.prioritized(queue),
    workers: keys.workers(),
    worker: keys.worker(worker),
    quarantine: keys.quarantine(),
    lostWorkers: keys.lostWorkers(),
    failures: keys.failures(),
    failure: keys.failure(group),
    failedJobs: keys.failedJobs(group),
    scheduleRuns: keys.scheduleRuns(queue, schedule),
    pausedSchedules: keys.pausedSchedules(),
    profiles: keys.profiles(),
    profile: keys.profile("default"),
    problemNotes: keys.problemNotes(),
    probe: keys.probe(),
    audit: keys.audit(),
    auditAdded: keys.auditAdded(),
    auditOf: keys.auditOf("batch", batch),
  };
  const ofBatches = batchKeys(prefix);
  const batches: Record<Exclude<keyof typeof ofBatches, "record" | "ofBatch" | (typeof BATCH_KEYS)[number]>, string> = {
    chunk: ofBatches.chunk(batch, "0-0"),
    watchdog: ofBatches.watchdog(),
    schedule: ofBatches.schedule(schedule),
    waiting: ofBatches.waiting(schedule),
  };
  const bull = [...OWN_KEYS, "metrics:completed", "metrics:completed:data"];
  return [
    ...Object.entries(ours),
    ...Object.entries(batches).map(([name, key]) => [`batch ${name}`, key] as const),
    ...Object.entries(ofBatches.ofBatch(batch)).map(([name, key]) => [`batch ${name}`, key] as const),
    ...bull.map((name) => [`bull ${name}`, `${prefix}:${queue}:${name}`] as const),
    ["bull lock", `${prefix}:${queue}:${job}:lock`] as const,
    ["bull schedule", `${prefix}:${queue}:repeat:${schedule}`] as const,
  ].map(([name, key]) => ({ name, key }));
}

const NOTHING = { queue: "", job: "", birth: "", batch: "", schedule: "", group: "", worker: "", bucket: "" };

/** Of all kinds. */
export const KIND_NAMES: readonly string[] = kindsOf("", NOTHING).map(({ name }) => name);

export function kindOf(prefix: string, named: Named, name: string): Kind {
  const kind = kindsOf(prefix, named).find((each) => each.name === name);
  if (kind === undefined) throw new Error(`there is no kind ${name}`);
  return kind;
}

type Plant = (redis: ChainableCommander, key: string) => unknown;
const TYPES: Readonly<Record<string, Plant>> = {
  string: (redis, key) => redis.set(key, "{"),
  list: (redis, key) => redis.rpush(key, "{", "null"),
  hash: (redis, key) => redis.hset(key, { a: "{", data: "{", opts: "null", state: "x", spec: "null", id: "x" }),
  set: (redis, key) => redis.sadd(key, "{", "null"),
  zset: (redis, key) => redis.zadd(key, 1, "{", 2, "null"),
  stream: (redis, key) => redis.xadd(key, "*", "a", "{"),
};

/** What is no JSON, and no number, in everything that is there. */
const BROKEN: Readonly<Record<string, Plant>> = {
  string: (redis, key) => redis.set(key, "{"),
  list: (redis, key) => redis.rpush(key, "{", "null"),
  hash: (redis, key) => redis.hset(key, "x", "{"),
  set: (redis, key) => redis.sadd(key, "{"),
  zset: (redis, key) => redis.zadd(key, "-inf", "{", "+inf", "null"),
  stream: (redis, key) => redis.xadd(key, "*", "a", "{"),
};

/** Every type but that of what is there: plants it in its place, and puts back what was there. */
export async function withAnother(
  redis: Redis,
  { key }: Kind,
  {
    turn,
    run,
    stays = false,
  }: { readonly turn: number; readonly run: (type: string) => Promise<void>; readonly stays?: boolean },
): Promise<void> {
  const [own, before, ttl] = [await redis.type(key), await redis.dumpBuffer(key), await redis.pttl(key)];
  const others = Object.keys(TYPES).filter((type) => type !== own);
  const type = others[turn % others.length] ?? "string";
  try {
    await plant(redis, key, TYPES[type]);
    await run(type);
    if (before === null || stays) return;
    const fields = own === "hash" ? await fieldsOf(redis, key, before) : [];
    const put = redis.multi().restore(key, 0, before, "REPLACE");
    for (const [at, field] of fields.entries()) put.hset(key, field, ["{", "null", "[]", "-1e999"][at % 4] ?? "");
    BROKEN[own]?.(put, key);
    await put.exec();
    await run(`broken ${own}`);
  } finally {
    if (!stays) await redis.del(key);
    if (before !== null && !stays) await redis.restore(key, Math.max(0, ttl), before, "REPLACE");
  }
}

/** At once: a worker that writes there meanwhile would make another type of it. */
async function plant(redis: Redis, key: string, what: Plant | undefined): Promise<void> {
  const at = redis.multi().del(key);
  what?.(at, key);
  await at.exec();
}

async function fieldsOf(redis: Redis, key: string, dump: Buffer): Promise<string[]> {
  await redis.restore(key, 0, dump, "REPLACE");
  return redis.hkeys(key);
}
