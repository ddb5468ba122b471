import { z } from "zod";
import { HttpProblem } from "../http/problem.ts";
import { type ApiRoute, defineRoute } from "../http/route.ts";
import { forgetQuarantined, listQuarantine } from "../job-views/quarantine.ts";
import { AnyJob, type JobRouteDeps } from "./job-routes.ts";
import { QuarantinedSchema } from "./job-schemas.ts";

const tag = "jobs";

/** Jobs that could not be read: what was kept of them, until it is forgotten. */
export function quarantineRoutes({ config, redis }: Pick<JobRouteDeps, "config" | "redis">): readonly ApiRoute[] {
  const { prefix } = config;
  return [
    defineRoute({
      method: "GET",
      path: "/api/quarantine",
      access: "view",
      tag,
      summary: "Jobs that could not be read and were put aside",
      answers: {
        200: {
          description: "Newest first, at most 500",
          schema: z.object({
            total: z.int().describe("All there are"),
            jobs: z.array(QuarantinedSchema).describe("The newest"),
          }),
        },
      },
      handler: () => listQuarantine(redis, prefix),
    }),
    defineRoute({
      method: "DELETE",
      path: "/api/quarantine/:activity/:id",
      access: "operate",
      tag,
      summary: "Forget what was kept of a job in quarantine",
      description: "The job itself stays among the failed ones until its retention is over.",
      params: AnyJob,
      act: ({ params: { activity, id } }) => ({ action: "quarantine.forget", target: { kind: "job", activity, id } }),
      answers: { 204: { description: "Forgotten" } },
      handler: async ({ params }, reply) => {
        if (!(await forgetQuarantined(redis, prefix, params)))
          throw new HttpProblem(404, "NotFound", `${params.activity}/${params.id} is not in quarantine`);
        return reply.code(204).send();
      },
    }),
  ];
}
