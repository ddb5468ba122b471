import type { RedisClient } from "../../redis/connection/client.ts";
import { unlessForeign } from "../../redis/foreign.ts";
import { redisKeys } from "../../redis/keys.ts";
import { loadScript } from "../../redis/scripts/load.ts";
import { replyList, replyText, runScript } from "../../redis/scripts/run.ts";
import type { FoundJob, JobFilter } from "./filter.ts";

const script = loadScript(new URL("./pick-groups.lua", import.meta.url), {
  keys: ["failures"],
  args: ["groups", "activity", "code", "bucket", "profile"],
});

/** Jobs that are taken from the index: where it has more, whoever looks through all finds as many soon enough. */
const MOST = 200;

/** Jobs that the index of failures knew, and the keys of the groups that they are in. */
export type FailedIndex = { readonly jobs: readonly FoundJob[]; readonly groups: readonly string[] };

const NOTHING: FailedIndex = { jobs: [], groups: [] };

/**
 * The failed jobs of a code, a bucket or a profile, as workers noted them when they ended: at once, however many others failed. Nothing
 * where the filter asks for what the index does not know, or means more jobs than `limit`.
 *
 * @param found of an answer that goes on: whether the first one was given by the index
 */
export async function pickFailed(
  redis: RedisClient,
  prefix: string,
  { filter, limit, found }: { readonly filter: JobFilter; readonly limit: number; readonly found: boolean | undefined },
): Promise<FailedIndex> {
  const { text = "", code = "", bucket = "", profile = "", since, until, activities, states } = filter;
  const asked = code + bucket + profile !== "" && text === "" && since === undefined && until === undefined;
  if (!asked || !states.includes("failed") || found === false) return NOTHING;
  const keys = redisKeys(prefix);
  const activity = activities.length === 1 ? (activities[0] ?? "") : "";
  const picking = runScript(
    redis,
    script,
    { failures: keys.failures() },
    { groups: keys.failure(""), activity, code, bucket, profile },
  );
  const flat = replyList(await unlessForeign(picking, [])).map(replyText);
  const groups = Array.from({ length: flat.length / 3 }, (_, index) => {
    const [id = "", of = "", jobs = ""] = flat.slice(3 * index, 3 * index + 3);
    return { key: keys.failedJobs(id), activity: of, jobs: Number(jobs) };
  }).filter((group) => activities.includes(group.activity) && group.jobs > 0);
  const total = groups.reduce((sum, { jobs }) => sum + jobs, 0);
  if (total === 0 || (found !== true && total > Math.min(limit, MOST))) return NOTHING;
  const jobs = found === true ? [] : await stillFailed(redis, prefix, groups);
  return { jobs, groups: groups.map(({ key }) => key) };
}

/** Of jobs in groups those that are still among the failed ones; others were retried, or are forgotten. */
async function stillFailed(
  redis: RedisClient,
  prefix: string,
  groups: readonly { readonly key: string; readonly activity: string }[],
): Promise<FoundJob[]> {
  const members = redis.pipeline();
  for (const { key } of groups) members.zrevrange(key, 0, MOST - 1);
  const all = ((await members.exec()) ?? []).flatMap(([error, ids], index) => {
    if (error) throw error;
    return (ids as string[]).map((id) => ({ activity: groups[index]?.activity ?? "", id })); // ZREVRANGE's reply
  });
  const scores = redis.pipeline();
  for (const { activity, id } of all) scores.zscore(redisKeys(prefix).job(activity, "failed"), id);
  const replies = (await scores.exec()) ?? [];
  return all
    .filter((_, index) => typeof replies[index]?.[1] === "string")
    .map((job) => ({ ...job, state: "failed" }) as const);
}
