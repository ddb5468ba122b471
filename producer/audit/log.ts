import type { RedisKeys } from "../../redis/keys.ts";
import type { RedisClient } from "../../redis/connection/client.ts";
import { loadScript } from "../../redis/scripts/load.ts";
import { replyText, runScript } from "../../redis/scripts/run.ts";
import { type Act, AUDIT_LENGTH, AuditEntry, type AuditTarget, MAX_DETAIL, TIMELINE } from "./entry.ts";

const recordAct = loadScript(new URL("./record-act.lua", import.meta.url), {
  keys: ["log", "other", "job", "timeline"],
  args: ["entry", "length", "most", "seconds"],
});

/** The longest entry, in characters: ours are shorter. */
const MAX_ENTRY = 8192;
/** How many entries are looked at in one go. */
const STEP = 500;

export type AuditFilter = {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly kind?: string | undefined;
  /** Of the thing. */
  readonly id?: string | undefined;
};

/** Newest first; `next` is the cursor of the page after. */
export type AuditPage = { readonly entries: readonly AuditEntry[]; readonly next?: string };

/** Writes an act down. Its texts are cut to their limits. */
export async function writeAct(redis: RedisClient, keys: RedisKeys, act: Act): Promise<AuditEntry> {
  const { target, detail } = act;
  const kept = { ...act, ...(detail !== undefined && { detail: detail.slice(0, MAX_DETAIL) }) };
  const isJob = target?.kind === "job";
  const [log, other] = act.action === "job.add" ? [keys.auditAdded(), keys.audit()] : [keys.audit(), keys.auditAdded()];
  const scriptKeys = {
    log,
    other,
    // A name that no job can have, where the thing is no job.
    job: isJob ? keys.job(target.activity ?? "", target.id) : keys.auditOf("none", ""),
    timeline: target === undefined ? keys.auditOf("none", "") : keys.auditOf(target.kind, target.id),
  };
  const id = await runScript(redis, recordAct, scriptKeys, {
    entry: JSON.stringify(kept),
    length: AUDIT_LENGTH,
    most: TIMELINE.length,
    seconds: isJob || target === undefined ? 0 : TIMELINE.seconds,
  });
  return { ...kept, ...placed(replyText(id)) };
}

/** The acts on one thing, oldest first. */
export async function actsOn(
  redis: RedisClient,
  keys: RedisKeys,
  { kind, id, activity }: AuditTarget,
): Promise<readonly AuditEntry[]> {
  const lines =
    kind === "job"
      ? ((await redis.hget(keys.job(activity ?? "", id), "acts")) ?? "").split("\n")
      : await redis.lrange(keys.auditOf(kind, id), 0, -1);
  return lines.flatMap(readLine);
}

/** So many of a thing's newest acts are looked through for one. */
const LOOKED_BACK = 20;

/** The newest act of a name on a thing that is no job. */
export async function lastAct(
  redis: RedisClient,
  keys: RedisKeys,
  { kind, id, action }: { readonly kind: string; readonly id: string; readonly action: string },
): Promise<AuditEntry | undefined> {
  const lines = await redis.lrange(keys.auditOf(kind, id), -LOOKED_BACK, -1);
  return lines.flatMap(readLine).findLast((act) => act.action === action);
}

function readLine(line: string): readonly AuditEntry[] {
  const space = line.indexOf(" ");
  return space === -1 ? [] : read(line.slice(0, space), line.slice(space + 1));
}

/** A page of all acts, newest first. */
export async function listActs(
  redis: RedisClient,
  keys: RedisKeys,
  { limit, cursor, ...filter }: AuditFilter & { readonly limit: number; readonly cursor?: string | undefined },
): Promise<AuditPage> {
  const logs = [newestFirst(redis, keys.audit(), cursor), newestFirst(redis, keys.auditAdded(), cursor)];
  const entries: AuditEntry[] = [];
  for await (const entry of merged(logs)) {
    if (!matches(entry, filter)) continue;
    entries.push(entry);
    if (entries.length === limit) return { entries, next: entry.id };
  }
  return { entries };
}

async function* newestFirst(redis: RedisClient, key: string, cursor: string | undefined): AsyncGenerator<AuditEntry> {
  // Redis refuses to look before its very first id.
  if (cursor !== undefined && /^0+-0+$/.test(cursor)) return;
  for (let before = cursor; ;) {
    const found = await redis.xrevrange(key, before === undefined ? "+" : `(${before}`, "-", "COUNT", STEP);
    for (const [id, [, entry = ""]] of found) yield* read(id, entry);
    before = found.at(-1)?.[0];
    if (found.length < STEP || before === undefined) return;
  }
}

/** Several logs as one, by their ids: time and a number. */
async function* merged(logs: readonly AsyncGenerator<AuditEntry>[]): AsyncGenerator<AuditEntry> {
  const heads = await Promise.all(logs.map((log) => log.next()));
  for (;;) {
    let newest = -1;
    for (const [index, head] of heads.entries()) {
      const best = heads[newest];
      if (!head.done && (best === undefined || best.done || isAfter(head.value.id, best.value.id))) newest = index;
    }
    const [head, log] = [heads[newest], logs[newest]];
    if (head === undefined || head.done || log === undefined) return;
    yield head.value;
    heads[newest] = await log.next();
  }
}

function isAfter(one: string, other: string): boolean {
  const [time = 0, number = 0] = one.split("-").map(Number);
  const [otherTime = 0, otherNumber = 0] = other.split("-").map(Number);
  return time === otherTime ? number > otherNumber : time > otherTime;
}

function matches({ actor, action, target }: AuditEntry, filter: AuditFilter): boolean {
  return (
    (filter.actor === undefined || actor === filter.actor) &&
    (filter.action === undefined || action === filter.action || action.startsWith(`${filter.action}.`)) &&
    (filter.kind === undefined || target?.kind === filter.kind) &&
    (filter.id === undefined || target?.id === filter.id)
  );
}

/** An entry that a foreign hand wrote is left out, where it is none. */
function read(id: string, text: string): readonly AuditEntry[] {
  if (text.length > MAX_ENTRY) return [];
  try {
    const parsed = AuditEntry.safeParse({ ...(JSON.parse(text) as object), ...placed(id) });
    return parsed.success ? [parsed.data] : [];
  } catch {
    return []; // no JSON
  }
}

/** When, by the clock of Redis, which is one for all. */
function placed(id: string): { readonly id: string; readonly at: string } {
  return { id, at: new Date(Number(id.split("-")[0])).toISOString() };
}
