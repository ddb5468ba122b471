import type { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { activityNames } from "../../jobs/contracts.ts";
import { noteFailure } from "../../jobs/failures.ts";
import { ActivityError } from "../../model/activity-error.ts";
import { redisKeys } from "../../redis/keys.ts";
import { openTestRedis, uniquePrefix } from "../../test/fixtures.ts";
import { JOB_STATES } from "../job-views/job-fields.ts";
import type { JobFilter } from "./filter.ts";
import { findJobs } from "./find-jobs.ts";

const prefix = uniquePrefix();
const keys = redisKeys(prefix);
const QUEUE = "head-object";
const everything: JobFilter = { activities: [QUEUE], states: JOB_STATES };
let redis: Redis;

const place = async (id: string, set: string, score?: number) => {
  await redis.hset(keys.job(QUEUE, id), { data: JSON.stringify({ object: { bucket: "in", key: `of/${id}` } }) });
  if (score === undefined) await redis.lpush(keys.job(QUEUE, set), id);
  else await redis.zadd(keys.job(QUEUE, set), score, id);
};
const fail = async (id: string, code: string) => {
  await place(id, "failed", Date.now());
  const error = new ActivityError(code as "NoSuchKey", "gone", {}); // also what a store says
  const failed = { at: Date.now(), ms: 1, code, worker: "w" };
  const data = { object: { bucket: "in", key: `of/${id}` } };
  await noteFailure(redis, keys, { activity: QUEUE, id, data, error, failed, final: true });
};
/** All pages of a search, as ids. */
const idsOf = async (filter: Partial<JobFilter>, limit = 50) => {
  const ids: string[] = [];
  let next: Awaited<ReturnType<typeof findJobs>>["next"];
  do {
    const found = await findJobs(redis, prefix, { filter: { ...everything, ...filter }, cursor: next, limit });
    ids.push(...found.jobs.map(({ id, state }) => `${id} ${state}`));
    next = found.next;
  } while (next !== undefined);
  return ids.toSorted();
};

beforeAll(async () => {
  redis = openTestRedis();
  const now = Date.now();
  await place("plain", "wait");
  await place("old", "paused");
  await place("urgent", "prioritized", 5);
  await place("parent", "waiting-children", now);
  await place("due", "delayed", (now - 60_000) * 4096);
  await place("later", "delayed", (now + 600_000) * 4096);
  await place("working", "active");
  await place("done", "completed", now);
  for (let i = 0; i < 12; i++) await fail(`lost-${i}`, "NoSuchKey");
  await fail("rare", "AccessDenied");
});
afterAll(() => redis.disconnect());

const waiting = ["due waiting", "old waiting", "parent waiting", "plain waiting", "urgent waiting"];

test("finds a job in whatever state it is, also one whose time has come and that nobody moved yet", async () => {
  const lost = Array.from({ length: 12 }, (_, i) => `lost-${i} failed`);
  const all = [...waiting, ...lost, "done completed", "later delayed", "rare failed", "working active"].toSorted();
  expect(await idsOf({ text: "of/" })).toEqual(all);
  expect(await idsOf({ text: "of/due" })).toEqual(["due waiting"]);
});

test("tells jobs that are due from those that are delayed, as the lists of jobs do", async () => {
  expect(await idsOf({ states: ["waiting"] })).toEqual(waiting);
  expect(await idsOf({ states: ["delayed"] })).toEqual(["later delayed"]);
});

test("gives each job once, however short the answers are", async () => {
  const all = await idsOf({});
  expect(all).toHaveLength(21);
  expect(await idsOf({}, 3)).toEqual(all);
  expect(await idsOf({ bucket: "in" }, 3)).toEqual(all);
  expect(await idsOf({ bucket: "in" }, 15)).toEqual(all);
});

test("takes failed jobs of a rare code from the index, and does not give them again", async () => {
  const first = await findJobs(redis, prefix, { filter: { ...everything, code: "AccessDenied" }, limit: 1 });
  expect([first.jobs.map(({ id }) => id), first.looked]).toEqual([["rare"], 1]);
  expect(await idsOf({ code: "AccessDenied" }, 1)).toEqual(["rare failed"]);
  expect(await idsOf({ code: "NoSuchKey", profile: "default" }, 5)).toHaveLength(12);
});

test("gets on with every answer, also where its time is over before it began", async () => {
  let next: Awaited<ReturnType<typeof findJobs>>["next"];
  let answers = 0;
  do {
    // In all queues, of which most are empty.
    const filter = { ...everything, activities: activityNames, text: "nothing" };
    const found = await findJobs(redis, prefix, { filter, cursor: next, limit: 50, until: 0 });
    next = found.next;
    expect(found.looked > 0 || next === undefined).toBe(true);
    answers += 1;
  } while (next !== undefined && answers < 20);
  // One for each set that holds anything, and one that finds no other.
  expect(answers).toBeLessThanOrEqual(9);
});

test("finds what the index does not know (any more)", async () => {
  await redis.zrem(keys.failedJobs((await redis.hget(keys.job(QUEUE, "lost-3"), "failure")) ?? ""), "lost-3");
  await redis.hset(keys.job(QUEUE, "lost-3"), "error", JSON.stringify({ code: "NoSuchKey", message: "gone" }));
  expect(await idsOf({ code: "NoSuchKey" })).toContain("lost-3 failed");
  await redis.zrem(keys.job(QUEUE, "failed"), "lost-4");
  expect(await idsOf({ code: "NoSuchKey" })).not.toContain("lost-4 failed");
});
