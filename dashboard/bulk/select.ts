import { activityNames } from "../../jobs/contracts.ts";
import { forgetFailure } from "../../jobs/failures.ts";
import type { Batches } from "../../producer/batches.ts";
import type { Producer } from "../../producer/index.ts";
import type { RedisClient } from "../../redis/connection/client.ts";
import { redisKeys } from "../../redis/keys.ts";
import type { BullQueues } from "../bull-queues.ts";
import { HttpProblem } from "../http/problem.ts";
import type { JobState } from "../job-views/job-fields.ts";
import { retryJob } from "../job-views/retry-job.ts";
import { forgetLostWorker } from "../problems/lost-workers.ts";
import type { GroupAction, Problem } from "../problems/interface.ts";
import type { Problems } from "../problems/read.ts";
import type { JobFilter } from "../search/filter.ts";
import { type Cursor, findJobs } from "../search/find-jobs.ts";
import { hasEnded } from "../../batches/state/status.ts";
import type { BulkItem } from "./runs.ts";

export type BulkDeps = {
  readonly redis: RedisClient;
  readonly prefix: string;
  readonly producer: Producer;
  readonly batches: Batches;
  readonly queues: BullQueues;
  readonly problems: Problems;
};

/** What an action makes sense for. */
export const STATES_FOR: Readonly<Record<GroupAction, readonly JobState[]>> = {
  retry: ["failed"],
  cancel: ["waiting", "delayed", "active"],
  forget: ["failed"],
};

/** Ids that are looked at in one round trip. */
const PAGE = 1000;
/** More are not acted upon at once: an hour's work that nobody watches. */
const MOST = 200_000;

/** What of a problem the action is for. */
export async function itemsOfProblem(deps: BulkDeps, problem: Problem, action: GroupAction): Promise<BulkItem[]> {
  if (!problem.actions.includes(action))
    throw new HttpProblem(409, "InvalidRequest", `of this problem nothing can be asked to ${action}`, {
      field: "action",
    });
  if (problem.kind === "worker") return [{ kind: "worker", id: problem.id.slice("worker-".length) }];
  if (problem.kind === "jobs") return stillFailed(deps, problem);
  const batches = await deps.problems.batchesOf(problem.id);
  return batches
    .filter(({ state }) => hasEnded(state) === (action === "retry"))
    .map(({ id }) => ({ kind: "batch", id }) as const);
}

/** Jobs of a group that are still among the failed ones; the others leave it. */
async function stillFailed({ redis, prefix }: BulkDeps, { id, activity = "" }: Problem): Promise<BulkItem[]> {
  const keys = redisKeys(prefix);
  const group = keys.failedJobs(id.slice("jobs-".length));
  const ids = await redis.zrange(group, "0", "-1");
  const items: BulkItem[] = [];
  for (let at = 0; at < ids.length; at += PAGE) {
    const page = ids.slice(at, at + PAGE);
    const scores = await redis.zmscore(keys.job(activity, "failed"), ...page);
    const gone = page.filter((_, index) => scores[index] === null);
    if (gone.length > 0) await redis.zrem(group, ...gone);
    items.push(
      ...page.filter((_, index) => scores[index] !== null).map((job) => ({ kind: "job", activity, id: job }) as const),
    );
  }
  return items;
}

/** All jobs that a filter means, as far as the action is for them. */
export async function itemsOfFilter(deps: BulkDeps, filter: JobFilter, action: GroupAction): Promise<BulkItem[]> {
  const states = filter.states.filter((state) => STATES_FOR[action].includes(state));
  const items: BulkItem[] = [];
  let cursor: Cursor | undefined;
  do {
    const found = await findJobs(deps.redis, deps.prefix, {
      filter: { ...filter, states },
      cursor,
      limit: MOST - items.length,
    });
    items.push(...found.jobs.map(({ activity, id }) => ({ kind: "job", activity, id }) as const));
    cursor = found.next;
  } while (cursor !== undefined && items.length < MOST);
  return items;
}

/** Does to one thing what was asked for all. */
export async function actOn(deps: BulkDeps, action: GroupAction, item: BulkItem): Promise<void> {
  const { redis, prefix, batches } = deps;
  if (item.kind === "worker") return await forgetLostWorker(redis, prefix, item.id);
  if (item.kind !== "job") {
    if (action === "retry") await batches.get(item.id).retryFailed({ includeUnattempted: false });
    else await batches.get(item.id).cancel();
    return;
  }
  await actOnJob(deps, action, item);
}

type JobItem = Extract<BulkItem, { kind: "job" }>;

async function actOnJob(deps: BulkDeps, action: GroupAction, { activity, id }: JobItem): Promise<void> {
  const { redis, prefix, producer, queues } = deps;
  if (action === "forget") return await forgetFailure(redis, redisKeys(prefix), { activity, id });
  const queue = queues.get(activity);
  const name = activityNames.find((one) => one === activity);
  if (queue === undefined || name === undefined)
    throw new HttpProblem(404, "UnknownActivity", `there is no queue ${activity}`);
  if (action === "cancel") {
    if (!(await producer.job(name, id).cancel()))
      throw new HttpProblem(409, "JobEnded", `${activity}/${id} had ended before it could be cancelled`);
    return;
  }
  await retryJob({ redis, prefix, queue }, { activity, id });
}
