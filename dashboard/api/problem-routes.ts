import { z } from "zod";
import { HttpProblem } from "../http/problem.ts";
import { type ApiRoute, defineRoute } from "../http/route.ts";
import { isOpen, type Problems } from "../problems/read.ts";
import { ProblemId, ProblemSchema } from "./problem-schemas.ts";

const tag = "problems";
const params = z.object({ id: ProblemId });
const Reason = z.string().max(500).optional().describe("Why; kept with who said it");

/** What needs somebody, and what somebody said of it. */
export function problemRoutes({ problems }: { readonly problems: Problems }): readonly ApiRoute[] {
  const one = async (id: string) => {
    const problem = await problems.one(id);
    if (problem === undefined)
      throw new HttpProblem(404, "NotFound", "there is no such problem (any more): nothing of it is left that failed");
    return problem;
  };
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
      handler: ({ params: { id } }) => one(id),
    }),
    defineRoute({
      method: "POST",
      path: "/api/problems/:id/acknowledge",
      access: "operate",
      tag,
      summary: "Say that somebody looks after it",
      description: "Until it happens again.",
      params,
      body: { schema: z.strictObject({ reason: Reason }), optional: true },
      answers: { 200: { description: "The problem as it is now", schema: ProblemSchema } },
      handler: async ({ request, params: { id }, body }) => {
        await one(id);
        await problems.notes.write(id, { verb: "acknowledge", ...said(request.identity?.name, body?.reason) });
        return one(id);
      },
    }),
    defineRoute({
      method: "POST",
      path: "/api/problems/:id/mute",
      access: "operate",
      tag,
      summary: "Count it no more",
      description: "For so many minutes (default: an hour), however often it happens.",
      params,
      body: {
        schema: z.strictObject({
          minutes: z.int().min(1).max(10_080).default(60).describe("For how long"),
          reason: Reason,
        }),
        optional: true,
      },
      answers: { 200: { description: "The problem as it is now", schema: ProblemSchema } },
      handler: async ({ request, params: { id }, body }) => {
        await one(id);
        const until = new Date(Date.now() + (body?.minutes ?? 60) * 60_000).toISOString();
        await problems.notes.write(id, { verb: "mute", until, ...said(request.identity?.name, body?.reason) });
        return one(id);
      },
    }),
    defineRoute({
      method: "POST",
      path: "/api/problems/:id/reopen",
      access: "operate",
      tag,
      summary: "Take back that it was acknowledged or muted",
      params,
      answers: { 200: { description: "The problem as it is now", schema: ProblemSchema } },
      handler: async ({ params: { id } }) => {
        await problems.notes.drop(id);
        return one(id);
      },
    }),
  ];
}

const said = (by = "somebody", reason?: string) => ({
  by,
  at: new Date().toISOString(),
  ...(reason !== undefined && reason !== "" && { reason }),
});
