import { z } from "zod";
import { activityNames } from "../../jobs/contracts.ts";
import { unsaid } from "../../jobs/meant-branch.ts";
import { actOn, type BulkDeps, itemsOfFilter, itemsOfProblem, STATES_FOR } from "../bulk/select.ts";
import type { BulkItem, BulkRuns } from "../bulk/runs.ts";
import { HttpProblem } from "../http/problem.ts";
import { type ApiRoute, defineRoute } from "../http/route.ts";
import { GROUP_ACTIONS, type GroupAction } from "../problems/interface.ts";
import { BulkSchema, JobFilterSchema, ProblemId } from "./problem-schemas.ts";

const tag = "problems";

const order = {
  action: z.enum(GROUP_ACTIONS).describe("What to do"),
  preview: z.boolean().default(false).describe("Only count"),
  expected: z.int().optional().describe("What a preview counted: where it is more by a tenth by now, nothing is done"),
  reason: z.string().max(500).optional().describe("Why; kept with who asked"),
};
const Order = z.union(
  [
    z
      .strictObject({ ...order, problem: ProblemId.describe("All that belongs to a problem"), filter: unsaid() })
      .meta({ id: "BulkOfProblem", description: "What to do to all that belongs to a problem" }),
    z
      .strictObject({ ...order, filter: JobFilterSchema.describe("All jobs that a search finds"), problem: unsaid() })
      .meta({ id: "BulkOfFilter", description: "What to do to all jobs that a search finds" }),
  ],
  { error: "expected either problem or filter" },
);

type BulkRouteDeps = BulkDeps & { readonly runs: BulkRuns };

/** Actions on many things at once: counted first, then watched. */
export function bulkRoutes(deps: BulkRouteDeps): readonly ApiRoute[] {
  return [orderRoute(deps), ...watchingRoutes(deps)];
}

function orderRoute(deps: BulkRouteDeps): ApiRoute {
  return defineRoute({
    method: "POST",
    path: "/api/bulk",
    access: "operate",
    tag,
    summary: "Retry, cancel or forget many things at once",
    description: "With `preview` it only counts. Otherwise it begins, and is watched at /api/bulk/{id}.",
    body: { schema: Order },
    act: ({ body }, answer) => {
      const { action, preview } = body;
      // Of both answers; none where it failed.
      const told = answer as { readonly title: string; readonly total: number } | undefined;
      return preview
        ? undefined
        : { action: `bulk.${action}`, ...(told && { detail: `${told.total}: ${told.title}` }) };
    },
    answers: {
      200: {
        description: "How many it would be",
        schema: z.object({ total: z.int().describe("How many"), title: z.string().describe("Of what, in words") }),
      },
      202: { description: "It has begun", schema: BulkSchema },
    },
    handler: async ({ request, body }, reply) => {
      const [title, items] = await select(deps, body);
      if (body.preview) return { total: items.length, title };
      if (body.expected !== undefined && items.length > body.expected * 1.1 + 1)
        throw new HttpProblem(
          409,
          "InvalidRequest",
          `it is ${items.length} by now, and not ${body.expected}: look again`,
        );
      const by = request.identity?.name ?? "somebody";
      const act = (item: BulkItem) => actOn(deps, body.action, item);
      reply.code(202);
      return deps.runs.start({ action: body.action, title, by, reason: body.reason, items, act });
    },
  });
}

/** What an order is for, in words and one by one. */
async function select(
  deps: BulkDeps,
  { action, problem, filter }: z.output<typeof Order>,
): Promise<[title: string, BulkItem[]]> {
  if (problem !== undefined) {
    const found = await deps.problems.one(problem);
    if (found === undefined) throw new HttpProblem(404, "NotFound", "there is no such problem (any more)");
    return [found.title, await itemsOfProblem(deps, found, action)];
  }
  return [titleOf(action, filter), await itemsOfFilter(deps, jobFilter(filter, STATES_FOR[action]), action)];
}

function watchingRoutes({ runs }: BulkRouteDeps): readonly ApiRoute[] {
  return [
    defineRoute({
      method: "GET",
      path: "/api/bulk",
      access: "view",
      tag,
      summary: "Actions on many things, the newest first",
      description: "The last fifty, since the dashboard was started.",
      answers: { 200: { description: "Actions", schema: z.object({ runs: z.array(BulkSchema).describe("Actions") }) } },
      handler: async () => ({ runs: runs.list() }),
    }),
    defineRoute({
      method: "GET",
      path: "/api/bulk/:id",
      access: "view",
      tag,
      summary: "How far an action is, and what came of it",
      params: z.object({
        id: z
          .string()
          .regex(/^[0-9a-f]{16}$/)
          .describe("Id of the action"),
      }),
      answers: { 200: { description: "The action", schema: BulkSchema } },
      handler: async ({ params: { id } }) => {
        const run = runs.get(id);
        if (run === undefined) throw new HttpProblem(404, "NotFound", "there is no such action (any more)");
        return run;
      },
    }),
  ];
}

/** A filter as the search takes it: where nothing is said, all of them. */
export function jobFilter<State>(
  {
    activity,
    state,
    ...rest
  }: Omit<z.output<typeof JobFilterSchema>, "state"> & { readonly state?: State | undefined },
  states: readonly State[],
) {
  return {
    ...rest,
    activities: activity === undefined ? activityNames : [activity],
    states: state === undefined ? states : [state],
  };
}

function titleOf(action: GroupAction, filter: z.output<typeof JobFilterSchema>): string {
  const words = Object.entries(filter).flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`]));
  return words.length === 0 ? `All jobs that can be asked to ${action}` : `Jobs with ${words.join(", ")}`;
}
