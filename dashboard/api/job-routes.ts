import type { FastifyRequest } from "fastify";
import type { RedisClient } from "../../redis/connection/client.ts";
import { z } from "zod";
import { ActivityError } from "../../model/activity-error.ts";
import type { Producer } from "../../producer/index.ts";
import { checkRevealing } from "../access/authorize.ts";
import { isInScope, type Touched } from "../access/scope.ts";
import { touchedByJob } from "../access/touched.ts";
import { redisKeys } from "../../redis/keys.ts";
import type { BullQueues } from "../bull-queues.ts";
import type { DashboardSettings } from "../config.ts";
import { HttpProblem } from "../http/problem.ts";
import { abortedWith } from "../http/request-signal.ts";
import { type ApiRoute, defineRoute } from "../http/route.ts";
import { JOB_STATES } from "../job-views/job-fields.ts";
import { listJobs } from "../job-views/list-jobs.ts";
import { type JobView, readJob } from "../job-views/read-job.ts";
import { retryJob } from "../job-views/retry-job.ts";
import { unlessForeign } from "../../redis/foreign.ts";
import { queueNames } from "../watch/queue-counts.ts";
import {
  Activity,
  flagText,
  JobId,
  JobRowSchema,
  AnyJobSchema,
  JobNameSchema,
  QueueName,
  wholeText,
} from "./job-schemas.ts";

export type JobRouteDeps = {
  readonly config: DashboardSettings;
  readonly redis: RedisClient;
  readonly producer: Producer;
  readonly queues: BullQueues;
};

const tag = "jobs";
const MAX_WAIT_S = 60;
const Job = { activity: Activity, id: JobId };
export const AnyJob = z.object({ activity: QueueName, id: JobId });
const REVEAL = "Secrets are taken out. The URL of a presign-object job is one: an operator gets it with `reveal=true`.";
const Reveal = z.object({ reveal: flagText.optional().describe("Tell the secret of the result; operators only") });

type JobNamed = { readonly params: { readonly activity: string; readonly id: string } };

/** What a job touches, by its input in Redis; of one that is not there, its queue alone. */
export function touchesOf(redis: RedisClient, prefix: string) {
  const keys = redisKeys(prefix);
  return async ({ params: { activity, id } }: JobNamed): Promise<readonly Touched[]> => {
    // A key of BullMQ's own under that name is no job.
    const data = await unlessForeign(redis.hget(keys.job(activity, id), "data"), null);
    return touchedByJob(activity, parsed(data));
  };
}

function parsed(text: string | null): unknown {
  try {
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined; // no JSON: nobody can say what it touches
  }
}

/** The queues in which a job of this id may be shown. */
async function queuesInScope(
  { identity }: FastifyRequest,
  touches: (queue: string) => Promise<readonly Touched[]>,
): Promise<readonly string[]> {
  const scope = identity?.scope;
  if (scope === undefined) return queueNames;
  const allowed = queueNames.map(async (queue) =>
    (await touches(queue)).every((each) => isInScope(scope, each)) ? [queue] : [],
  );
  return (await Promise.all(allowed)).flat();
}

/** Looking is not written down, but a secret that was shown is. */
function revealAct({
  params: { activity, id },
  query,
}: JobNamed & { readonly query: { readonly reveal?: boolean | undefined } }) {
  return query.reveal === true ? { action: "job.reveal", target: { kind: "job", activity, id } } : undefined;
}

/** Jobs, found, looked at and steered. */
export function jobRoutes(deps: JobRouteDeps): readonly ApiRoute[] {
  return [findRoute(deps), listRoute(deps), oneRoute(deps), waitRoute(deps), ...steeringRoutes(deps)];
}

function findRoute({ config: { prefix }, redis }: JobRouteDeps): ApiRoute {
  const touches = touchesOf(redis, prefix);
  return defineRoute({
    method: "GET",
    path: "/api/jobs",
    access: "view",
    tag,
    summary: "Find a job by its id, in every queue",
    query: z.object({ id: JobId }),
    touches: () => [],
    answers: {
      200: {
        description: "The jobs with this id",
        schema: z.object({ jobs: z.array(AnyJobSchema).describe("One of each queue that has the id") }),
      },
    },
    handler: async ({ request, query: { id } }) => {
      const queues = await queuesInScope(request, (activity) => touches({ params: { activity, id } }));
      const found = await Promise.all(queues.map((activity) => readJob(redis, prefix, { activity, id })));
      return { jobs: found.filter((job) => job !== undefined) };
    },
  });
}

function listRoute({ config, redis }: JobRouteDeps): ApiRoute {
  return defineRoute({
    method: "GET",
    path: "/api/jobs/:activity",
    access: "view",
    tag,
    summary: "Jobs of a queue in one state",
    description: "The next to run, or the newest to end, come first.",
    params: z.object({ activity: QueueName }),
    // The rows of a queue hold any bucket.
    touches: ({ params: { activity } }) => [{ activity }],
    query: z.object({
      state: z.enum(JOB_STATES).default("failed").describe("Only jobs in this state"),
      offset: wholeText(0, 10_000_000).default(0).describe("So many are left out"),
      limit: wholeText(1, 100).default(25).describe("At most so many"),
    }),
    answers: {
      200: {
        description: "A page",
        schema: z.object({
          total: z.int().describe("Jobs in this state"),
          jobs: z.array(JobRowSchema).describe("The page"),
        }),
      },
    },
    handler: ({ params, query }) => listJobs(redis, config.prefix, { queue: params.activity, ...query }),
  });
}

/** As it is shown, with `reveal` also its secret. Throws `JobExpired` where it is not there. */
async function existing(
  { config, redis, producer }: JobRouteDeps,
  { activity, id, reveal }: { readonly activity: string; readonly id: string; readonly reveal?: boolean | undefined },
): Promise<JobView> {
  const job = await readJob(redis, config.prefix, { activity, id });
  // It is not in Redis, but in the document that the job points to.
  if (reveal === true && activity === "presign-object" && job?.state === "completed")
    return { ...job, result: await producer.job(activity, id).result({ timeout: 1000 }) };
  if (job !== undefined) return job;
  throw new ActivityError(
    "JobExpired",
    `${activity}/${id} is not in Redis: it ended and was removed after its retention, or it never was enqueued`,
  );
}

function oneRoute(deps: JobRouteDeps): ApiRoute {
  return defineRoute({
    method: "GET",
    path: "/api/jobs/:activity/:id",
    access: "view",
    tag,
    summary: "A job: state, input, result, error",
    description: REVEAL,
    params: AnyJob,
    query: Reveal,
    answers: { 200: { description: "The job", schema: AnyJobSchema } },
    touches: touchesOf(deps.redis, deps.config.prefix),
    act: revealAct,
    handler: async ({ request, params, query: { reveal } }) => {
      if (reveal) checkRevealing(request, deps.config);
      return existing(deps, { ...params, reveal });
    },
  });
}

function waitRoute(deps: JobRouteDeps): ApiRoute {
  return defineRoute({
    method: "GET",
    path: "/api/jobs/:activity/:id/wait",
    access: "view",
    tag,
    summary: "Wait for a job's end",
    description: `Answers when the job ended, or after \`timeout\` seconds (default 30, at most ${MAX_WAIT_S}) as it is then. ${REVEAL}`,
    params: z.object(Job),
    touches: touchesOf(deps.redis, deps.config.prefix),
    act: revealAct,
    plainHead: true,
    query: z.object({ timeout: wholeText(0, MAX_WAIT_S).default(30).describe("Seconds to wait"), ...Reveal.shape }),
    answers: {
      200: { description: "It ended: completed, failed or cancelled", schema: AnyJobSchema },
      202: { description: "It has not ended yet: ask again", schema: AnyJobSchema },
    },
    handler: async ({ request, params: { activity, id }, query: { timeout, reveal } }, reply) => {
      if (reveal) checkRevealing(request, deps.config);
      // A key of BullMQ's own, such as `meta`, would be waited for in vain.
      await existing(deps, { activity, id });
      try {
        await deps.producer.job(activity, id).succeeded({ timeout: timeout * 1000, signal: abortedWith(reply) });
      } catch (error) {
        if (!(error instanceof ActivityError && error.code === "WaitTimeout")) throw error;
        reply.code(202);
      }
      return existing(deps, { activity, id, reveal });
    },
  });
}

function steeringRoutes({ config, redis, producer, queues }: JobRouteDeps): readonly ApiRoute[] {
  const { prefix } = config;
  const params = z.object(Job);
  const touches = touchesOf(redis, prefix);
  return [
    defineRoute({
      method: "POST",
      path: "/api/jobs/:activity/:id/cancel",
      access: "operate",
      tag,
      summary: "Cancel a job",
      description: "A job that waits will not run any more; one that runs is told to stop. 409 where it had ended.",
      params,
      touches,
      answers: {
        202: {
          description: "It is cancelled, or told to stop",
          schema: JobNameSchema,
        },
      },
      handler: async ({ params: { activity, id } }, reply) => {
        const job = await readJob(redis, prefix, { activity, id });
        if (job === undefined) throw new ActivityError("JobExpired", `${activity}/${id} is not in Redis (any more)`);
        if (!(await producer.job(activity, id).cancel()))
          throw new HttpProblem(
            409,
            "JobEnded",
            `${activity}/${id} had ended before it could be cancelled: it is ${job.state}`,
          );
        reply.code(202);
        return { id, activity };
      },
    }),
    defineRoute({
      method: "POST",
      path: "/api/jobs/:activity/:id/retry",
      access: "operate",
      tag,
      summary: "Run again a job that failed, or that was cancelled while it ran",
      params,
      touches,
      answers: {
        202: { description: "It is in its queue again", schema: JobNameSchema },
      },
      handler: async ({ params: { activity, id } }, reply) => {
        const queue = queues.get(activity);
        if (queue === undefined) throw new ActivityError("UnknownActivity", `there is no queue ${activity}`);
        await retryJob({ redis, prefix, queue }, { activity, id });
        reply.code(202);
        return { id, activity };
      },
    }),
  ];
}
