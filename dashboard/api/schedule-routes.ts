import { z } from "zod";
import type { Producer } from "../../producer/index.ts";
import { ScheduleRuleSchema } from "../../producer/schedule-rule.ts";
import { HttpProblem } from "../http/problem.ts";
import { type ApiRoute, defineRoute } from "../http/route.ts";
import type { createSchedules, ScheduleReader } from "../schedules/read.ts";
import {
  editSchedule,
  pauseSchedule,
  removeSchedule,
  resumeSchedule,
  runScheduleNow,
} from "../schedules/steer-schedule.ts";
import { QueueName } from "./job-schemas.ts";
import { ScheduleSchema } from "./page-schemas.ts";

export type ScheduleRouteDeps = Pick<ScheduleReader, "redis" | "prefix" | "queues"> & {
  readonly producer: Producer;
  readonly schedules: ReturnType<typeof createSchedules>;
};

const tag = "schedules";
const params = z.object({
  queue: QueueName.describe("The queue it adds to"),
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, { error: "expected the id of a schedule" })
    .describe("Id of the schedule"),
});
const Done = { 200: { description: "Done", schema: z.object({ id: z.string().describe("Id of the schedule") }) } };

/** Schedules of jobs and of batches. */
export function scheduleRoutes(deps: ScheduleRouteDeps): readonly ApiRoute[] {
  return [listRoute(deps), ...restingRoutes(deps), runRoute(deps), ruleRoute(deps), removeRoute(deps)];
}

/** The schedule that a path names, for those who steer it. */
function scheduleAt({ redis, prefix, queues }: ScheduleRouteDeps, { queue: name, id }: z.output<typeof params>) {
  const queue = queues.get(name);
  if (queue === undefined) throw new HttpProblem(404, "NotFound", `there is no queue ${name}`);
  return { redis, prefix, queue, id };
}

function listRoute({ schedules }: ScheduleRouteDeps): ApiRoute {
  return defineRoute({
    method: "GET",
    path: "/api/schedules",
    access: "view",
    tag,
    summary: "Schedules of jobs and of batches",
    description: "With the next and the last run; those that fail or are late come first.",
    answers: {
      200: {
        description: "Schedules",
        schema: z.object({ schedules: z.array(ScheduleSchema).describe("All of them") }),
      },
    },
    handler: async () => ({ schedules: await schedules.list() }),
  });
}

function restingRoutes(deps: ScheduleRouteDeps): readonly ApiRoute[] {
  const resting = (
    verb: string,
    summary: string,
    run: (steered: ReturnType<typeof scheduleAt>, by: string) => Promise<void>,
  ) =>
    defineRoute({
      method: "POST",
      path: `/api/schedules/:queue/:id/${verb}`,
      access: "operate",
      tag,
      summary,
      params,
      answers: Done,
      handler: async ({ request, params: given }) => {
        await run(scheduleAt(deps, given), request.identity?.name ?? "somebody");
        return { id: given.id };
      },
    });
  return [
    resting("pause", "Pause a schedule: no run is made, and none is made up for later", pauseSchedule),
    resting("resume", "Go on with a paused schedule", resumeSchedule),
  ];
}

function runRoute(deps: ScheduleRouteDeps): ApiRoute {
  return defineRoute({
    method: "POST",
    path: "/api/schedules/:queue/:id/run",
    access: "operate",
    tag,
    summary: "One run now, beside those that are due",
    params,
    answers: {
      201: {
        description: "It was asked for",
        schema: z.object({ path: z.string().describe("Where it is, below the dashboard's own address") }),
      },
    },
    handler: async ({ params: given }, reply) => {
      const path = await runScheduleNow(scheduleAt(deps, given), deps.producer);
      reply.code(201);
      return { path };
    },
  });
}

function ruleRoute(deps: ScheduleRouteDeps): ApiRoute {
  return defineRoute({
    method: "POST",
    path: "/api/schedules/:queue/:id/rule",
    access: "operate",
    tag,
    summary: "Let a schedule run at other times",
    params,
    body: { schema: ScheduleRuleSchema },
    answers: Done,
    handler: async ({ params: given, body }) => {
      await editSchedule(scheduleAt(deps, given), body);
      return { id: given.id };
    },
  });
}

function removeRoute(deps: ScheduleRouteDeps): ApiRoute {
  return defineRoute({
    method: "DELETE",
    path: "/api/schedules/:queue/:id",
    access: "operate",
    tag,
    summary: "Remove a schedule",
    description: "Jobs and batches that it made already go on.",
    params,
    answers: { 204: { description: "Removed" } },
    handler: async ({ params: given }, reply) => {
      await removeSchedule(scheduleAt(deps, given));
      return reply.code(204).send();
    },
  });
}
