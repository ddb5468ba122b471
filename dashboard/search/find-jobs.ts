import type { RedisClient } from "../../redis/connection/client.ts";
import { unlessForeign } from "../../redis/foreign.ts";
import { redisKeys } from "../../redis/keys.ts";
import { loadScript } from "../../redis/scripts/load.ts";
import { replyList, replyText, runScript } from "../../redis/scripts/run.ts";
import { type JobState } from "../job-views/job-fields.ts";

/** What is looked for. All that is given must hold. */
export type JobFilter = {
  /** Part of what the job was asked, such as of a key, or the beginning of its id. */
  readonly text?: string | undefined;
  readonly activities: readonly string[];
  readonly states: readonly JobState[];
  readonly code?: string | undefined;
  readonly bucket?: string | undefined;
  readonly profile?: string | undefined;
  /** ISO 8601, of when it ended. Where given, only ended jobs are found. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
};

export type FoundJob = { readonly activity: string; readonly id: string; readonly state: JobState };
/** Where to go on: the queue's and state's number, and how far in it. */
export type Cursor = { readonly at: number; readonly offset: number };
export type JobsFound = { readonly jobs: readonly FoundJob[]; readonly looked: number; readonly next?: Cursor };

const script = loadScript(new URL("./find-in-queue.lua", import.meta.url), {
  keys: ["jobs"],
  args: ["set", "offset", "count", "queue", "code", "bucket", "profile", "from", "to", "needles"],
});

/** Jobs that one call of the script looks at: some milliseconds of Redis. */
const SLICE = 1000;
/** For how long one answer looks. */
const BUDGET_MS = 250;

/** The sets of a queue in which jobs of a state are. */
const SETS: Readonly<Record<JobState, readonly (readonly [set: string, kind: "list" | "zset"])[]>> = {
  failed: [["failed", "zset"]],
  active: [["active", "list"]],
  waiting: [
    ["wait", "list"],
    ["prioritized", "zset"],
  ],
  delayed: [["delayed", "zset"]],
  completed: [["completed", "zset"]],
};

/**
 * Looks through jobs for what is asked, for as long as one answer may take; `next` goes on from there, and is missing when all were
 * looked at. Nothing is kept for it: a search costs when somebody searches.
 */
export async function findJobs(
  redis: RedisClient,
  prefix: string,
  { filter, cursor = { at: 0, offset: 0 }, limit }: { filter: JobFilter; cursor?: Cursor | undefined; limit: number },
): Promise<JobsFound> {
  const keys = redisKeys(prefix);
  const began = performance.now();
  const places = placesOf(filter);
  const filled = await filledOf(redis, prefix, places);
  const jobs: FoundJob[] = [];
  let looked = 0;
  let { at, offset } = cursor;
  while (at < places.length) {
    const place = places[at];
    if (place === undefined) break;
    if (!filled[at]) {
      [at, offset] = [at + 1, 0];
      continue;
    }
    const { queue, state, set, kind } = place;
    const args = argsOf(filter, { kind, offset, queue: keys.job(queue, "") });
    const looking = runScript(redis, script, { jobs: keys.job(queue, set) }, args);
    const [count, ids] = replyList(await unlessForeign(looking, [0, []]));
    looked += Number(count);
    const found = replyList(ids ?? []).map(replyText);
    jobs.push(...found.map((id) => ({ activity: queue, id, state })));
    if (Number(count) < SLICE) [at, offset] = [at + 1, 0];
    else offset += SLICE;
    if (jobs.length >= limit || performance.now() - began > BUDGET_MS) break;
  }
  return { jobs, looked, ...(at < places.length && { next: { at, offset } }) };
}

type Place = {
  readonly queue: string;
  readonly state: JobState;
  readonly set: string;
  readonly kind: "list" | "zset";
};

/** Where there is anything to look at: most sets of most queues are empty, and one question tells. */
async function filledOf(redis: RedisClient, prefix: string, places: readonly Place[]): Promise<boolean[]> {
  const keys = redisKeys(prefix);
  const pipeline = redis.pipeline();
  for (const { queue, set } of places) pipeline.exists(keys.job(queue, set));
  return ((await pipeline.exec()) ?? []).map(([error, exists]) => {
    if (error) throw error;
    return exists === 1;
  });
}

function placesOf({ activities, states, since, until }: JobFilter): Place[] {
  const timed = since !== undefined || until !== undefined;
  // The state first: what failed is what most are looking for.
  return states
    .filter((state) => !timed || state === "failed" || state === "completed")
    .flatMap((state) => activities.flatMap((queue) => SETS[state].map(([set, kind]) => ({ queue, state, set, kind }))));
}

const quoted = (value: string | undefined) => (value === undefined || value === "" ? "" : JSON.stringify(value));
const ms = (at: string | undefined) => (at === undefined ? "" : Date.parse(at));

function argsOf(
  { text = "", code, bucket, profile, since, until }: JobFilter,
  { kind, offset, queue }: { readonly kind: "list" | "zset"; readonly offset: number; readonly queue: string },
) {
  return {
    set: kind,
    offset,
    count: SLICE,
    queue,
    code: quoted(code),
    bucket: quoted(bucket),
    profile: quoted(profile),
    from: ms(since),
    to: ms(until),
    needles: needlesOf(text),
  };
}

/** The forms in which a text may stand in JSON: as our producers write it, and as those do that escape all but ASCII. */
export function needlesOf(text: string): string[] {
  const plain = JSON.stringify(text).slice(1, -1);
  const ascii = plain.replaceAll(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return [...new Set([plain, ascii])];
}
