import type { RedisClient } from "../../redis/connection/client.ts";
import { unlessForeign } from "../../redis/foreign.ts";
import { redisKeys } from "../../redis/keys.ts";
import { loadScript } from "../../redis/scripts/load.ts";
import { replyList, replyText, runScript } from "../../redis/scripts/run.ts";
import { type JobState } from "../job-views/job-fields.ts";
import { delayedScore, dueOf } from "../job-views/list-jobs.ts";
import type { FoundJob, JobFilter } from "./filter.ts";
import { pickFailed } from "./pick-failed.ts";

/** Where to go on: the queue's and state's number, how far in it, and whether jobs in the index of failures were found already. */
export type Cursor = { readonly at: number; readonly offset: number; readonly indexed: boolean };
export type JobsFound = { readonly jobs: readonly FoundJob[]; readonly looked: number; readonly next?: Cursor };

export type Search = {
  readonly filter: JobFilter;
  readonly cursor?: Cursor | undefined;
  readonly limit: number;
  /** When to have answered, by `performance.now()`: a stretch is looked at in any case. */
  readonly until?: number;
};

const script = loadScript(new URL("./find-in-queue.lua", import.meta.url), {
  keys: ["jobs", "groups"],
  args: ["set", "offset", "count", "limit", "queue", "code", "bucket", "profile", "from", "to", "needles"],
});

/** Jobs that one call of the script looks at: some milliseconds of Redis. */
const SLICE = 1000;

type Set = {
  readonly set: string;
  readonly kind: "list" | "zset";
  /** Of delayed jobs: only those whose time has come, or only the others. */
  readonly part?: "due" | "later";
};

/** The sets of a queue in which jobs of a state are. Delayed ones whose time has come wait, though BullMQ moves them when a worker takes its next. */
const SETS: Readonly<Record<JobState, readonly Set[]>> = {
  failed: [{ set: "failed", kind: "zset" }],
  active: [{ set: "active", kind: "list" }],
  waiting: [
    { set: "wait", kind: "list" },
    { set: "paused", kind: "list" },
    { set: "prioritized", kind: "zset" },
    { set: "waiting-children", kind: "zset" },
    { set: "delayed", kind: "zset", part: "due" },
  ],
  delayed: [{ set: "delayed", kind: "zset", part: "later" }],
  completed: [{ set: "completed", kind: "zset" }],
};

/**
 * Looks through jobs for what is asked, for as long as one answer may take; `next` goes on from there, and is missing when all were
 * looked at. What failed by code, bucket or profile is found by the index of failures where that has few; the rest costs when somebody
 * searches.
 */
export async function findJobs(redis: RedisClient, prefix: string, search: Search): Promise<JobsFound> {
  const { filter, cursor, limit, until = 0 } = search;
  const keys = redisKeys(prefix);
  const places = placesOf(filter);
  const filled = await filledOf(redis, prefix, places);
  const index = await pickFailed(redis, prefix, { filter, limit, found: cursor?.indexed });
  const jobs: FoundJob[] = cursor === undefined ? [...index.jobs] : [];
  let looked = jobs.length;
  let { at, offset } = cursor ?? { at: 0, offset: 0 };
  const now = Date.now();
  for (let worked = false; at < places.length;) {
    const place = places[at];
    if (place === undefined || jobs.length >= limit || (worked && performance.now() > until)) break;
    if (!filled[at]) {
      [at, offset] = [at + 1, 0];
      continue;
    }
    const looking = runScript(
      redis,
      script,
      { jobs: keys.job(place.queue, place.set), groups: place.state === "failed" ? index.groups : [] },
      {
        ...wordsOf(filter),
        ...stretchOf(place, filter, now),
        offset,
        limit: limit - jobs.length,
        queue: keys.job(place.queue, ""),
      },
    );
    const [count, ended, found] = replyList(await unlessForeign(looking, [0, 1, []]));
    looked += Number(count);
    worked = true;
    jobs.push(...foundIn(place, replyList(found ?? []).map(replyText), now));
    [at, offset] = ended === 1 ? [at + 1, 0] : [at, offset + Number(count)];
  }
  return { jobs, looked, ...(at < places.length && { next: { at, offset, indexed: index.groups.length > 0 } }) };
}

type Place = Set & { readonly queue: string; readonly state: JobState };

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
  const both = states.includes("waiting") && states.includes("delayed");
  // The state first: what failed is what most are looking for.
  return states
    .filter((state) => !timed || state === "failed" || state === "completed")
    .flatMap((state) => activities.flatMap((queue) => SETS[state].map((one) => ({ ...one, queue, state }))))
    .filter(({ part }) => !both || part !== "due")
    .map(({ part, ...place }) => (both || part === undefined ? place : { ...place, part }));
}

/** Ids and scores in turn, as jobs. */
function foundIn({ queue, set, state }: Place, flat: readonly string[], now: number): FoundJob[] {
  return Array.from({ length: flat.length / 2 }, (_, index): FoundJob => {
    const [id = "", score = ""] = flat.slice(2 * index, 2 * index + 2);
    if (set !== "delayed") return { activity: queue, id, state };
    return { activity: queue, id, state: dueOf(score) <= now ? "waiting" : "delayed" };
  });
}

const ms = (at: string | undefined) => (at === undefined ? "" : Date.parse(at));

/** Which stretch of a set is meant. */
function stretchOf({ kind, part }: Place, { since, until }: JobFilter, now: number) {
  const due = delayedScore(now + 1);
  if (part === "due") return { set: kind, count: SLICE, from: "", to: `(${due}` };
  if (part === "later") return { set: kind, count: SLICE, from: due, to: "" };
  return { set: kind, count: SLICE, from: ms(since), to: ms(until) };
}

const quoted = (value: string | undefined) => (value === undefined || value === "" ? "" : JSON.stringify(value));

function wordsOf({ text = "", code, bucket, profile }: JobFilter) {
  return { code: quoted(code), bucket: quoted(bucket), profile: quoted(profile), needles: needlesOf(text) };
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
