import { z } from "zod";
import { HttpProblem } from "../http/problem.ts";
import { type ApiRoute, defineRoute } from "../http/route.ts";
import type { Problem } from "../problems/interface.ts";
import type { Kept } from "../problems/notes.ts";
import { isOpen, type Problems } from "../problems/read.ts";
import { ProblemId, ProblemSchema } from "./problem-schemas.ts";

type ProblemRouteDeps = { readonly problems: Problems };

const tag = "problems";
const params = z.object({ id: ProblemId });
const Reason = z.string().max(500).optional().describe("Why; kept with who said it");
const Acknowledgement = z.strictObject({ reason: Reason });
const Mute = z.strictObject({
  minutes: z.int().min(1).max(10_080).default(60).describe("For how long"),
  reason: Reason,
});
const AsItIsNow = { 200: { description: "The problem as it is now", schema: ProblemSchema } };

/** What needs somebody, and what somebody said of it. */
export function problemRoutes(deps: ProblemRouteDeps): readonly ApiRoute[] {
  return [...lookingRoutes(deps), acknowledgeRoute(deps), muteRoute(deps), reopenRoute(deps)];
}

/** Throws 404 where there is none. */
async function existing(problems: Problems, id: string): Promise<Problem> {
  const problem = await problems.one(id);
  if (problem === undefined)
    throw new HttpProblem(404, "NotFound", "there is no such problem (any more): nothing of it is left that failed");
  return problem;
}

function lookingRoutes({ problems }: ProblemRouteDeps): readonly ApiRoute[] {
  return [
    defineRoute({
      method: "GET",
      path: "/api/problems",
      access: "view",
      tag,
      summary: "All that needs somebody",
      description:
        "Failed jobs and batches by what they have in common, workers that fell silent, schedules, paused queues, quarantine, warnings. What nobody has seen yet comes first.",
      answers: {
        200: {
          description: "Problems",
          schema: z.object({
            open: z.int().describe("How many nobody has acknowledged or muted"),
            problems: z.array(ProblemSchema).describe("All of them"),
          }),
        },
      },
      handler: async () => {
        const list = await problems.list();
        return { open: list.filter(isOpen).length, problems: list };
      },
    }),
    defineRoute({
      method: "GET",
      path: "/api/problems/:id",
      access: "view",
      tag,
      summary: "One problem",
      params,
      answers: { 200: { description: "The problem", schema: ProblemSchema } },
      handler: ({ params: { id } }) => existing(problems, id),
    }),
  ];
}

function acknowledgeRoute({ problems }: ProblemRouteDeps): ApiRoute {
  return defineRoute({
    method: "POST",
    path: "/api/problems/:id/acknowledge",
    access: "operate",
    tag,
    summary: "Say that somebody looks after it",
    description: "Until it happens again.",
    params,
    body: { schema: Acknowledgement, optional: true },
    answers: AsItIsNow,
    handler: ({ request, params: { id }, body }) =>
      keep(problems, id, () => ({ verb: "acknowledge", ...said(request.identity?.name, body?.reason) })),
  });
}

function muteRoute({ problems }: ProblemRouteDeps): ApiRoute {
  return defineRoute({
    method: "POST",
    path: "/api/problems/:id/mute",
    access: "operate",
    tag,
    summary: "Count it no more",
    description: "For so many minutes (default: an hour), however often it happens.",
    params,
    body: { schema: Mute, optional: true },
    answers: AsItIsNow,
    handler: ({ request, params: { id }, body }) =>
      keep(problems, id, () => {
        const until = new Date(Date.now() + (body?.minutes ?? 60) * 60_000).toISOString();
        return { verb: "mute", until, ...said(request.identity?.name, body?.reason) };
      }),
  });
}

function reopenRoute({ problems }: ProblemRouteDeps): ApiRoute {
  return defineRoute({
    method: "POST",
    path: "/api/problems/:id/reopen",
    access: "operate",
    tag,
    summary: "Take back that it was acknowledged or muted",
    params,
    answers: AsItIsNow,
    handler: async ({ params: { id } }) => {
      await problems.notes.drop(id);
      return existing(problems, id);
    },
  });
}

/** Writes down what was said of a problem that is there, at that moment, and tells how the problem is then. */
async function keep(problems: Problems, id: string, note: () => Kept): Promise<Problem> {
  await existing(problems, id);
  await problems.notes.write(id, note());
  return existing(problems, id);
}

const said = (by = "somebody", reason?: string) => ({
  by,
  at: new Date().toISOString(),
  ...(reason !== undefined && reason !== "" && { reason }),
});
