import { ActivityError } from "../../model/activity-error.ts";
import type { Identify } from "../access/identity.ts";
import { type ApiRoute, defineRoute } from "../http/route.ts";
import { readJob } from "../job-views/read-job.ts";
import type { EventStream } from "../watch/event-stream.ts";
import { ENDS, follow } from "../watch/follow.ts";
import { AnyJob, type JobRouteDeps, touchesOf } from "./job-routes.ts";

const ENDED: ReadonlySet<string> = new Set(["completed", "failed", "cancelled"]);

type JobStreamDeps = Pick<JobRouteDeps, "config" | "redis"> & {
  readonly events: EventStream;
  readonly identify: Identify;
};

/** A job, looked at again and again. */
export function jobStreamRoutes({ config, redis, events: streams, identify }: JobStreamDeps): readonly ApiRoute[] {
  const look = async (activity: string, id: string) => {
    const view = await readJob(redis, config.prefix, { activity, id });
    if (view === undefined) throw new ActivityError("JobExpired", `${activity}/${id} is not in Redis (any more)`);
    return { view, ended: ENDED.has(view.state) };
  };
  return [
    defineRoute({
      method: "GET",
      path: "/api/jobs/:activity/:id/events",
      access: "view",
      tag: "jobs",
      summary: "The progress of a job, as server-sent events",
      description: `\`progress\` once a second with the job as in /api/jobs/{activity}/{id}, \`progress.bytes\` of \`progress.of\` where it moves bytes; ${ENDS}`,
      params: AnyJob,
      touches: touchesOf(redis, config.prefix),
      answers: { 200: { description: "Events", type: "text/event-stream" } },
      plainHead: true,
      handler: async ({ request, params: { activity, id } }, reply) => {
        await look(activity, id);
        return follow({ request, reply, streams, identify }, () => look(activity, id));
      },
    }),
  ];
}
