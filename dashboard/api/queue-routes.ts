import { z } from "zod";
import type { BullQueues } from "../bull-queues.ts";
import { HttpProblem } from "../http/problem.ts";
import { type ApiRoute, defineRoute } from "../http/route.ts";
import { QueueName } from "./job-schemas.ts";

const VERBS = {
  pause: "Pause a queue: no worker takes jobs from it; what runs goes on",
  resume: "Go on with a paused queue",
} as const;

/** Whether workers take jobs of an activity. */
export function queueRoutes({ queues }: { readonly queues: BullQueues }): readonly ApiRoute[] {
  return (["pause", "resume"] as const).map((verb) =>
    defineRoute({
      method: "POST",
      path: `/api/queues/:queue/${verb}`,
      access: "operate",
      tag: "activities",
      summary: VERBS[verb],
      params: z.object({ queue: QueueName }),
      act: ({ params: { queue } }) => ({ action: `queue.${verb}`, target: { kind: "queue", id: queue } }),
      answers: {
        200: {
          description: "It was told",
          schema: z.object({
            queue: QueueName,
            paused: z.boolean().describe("Whether it is paused now"),
          }),
        },
      },
      handler: async ({ params: { queue: name } }) => {
        const queue = queues.get(name);
        if (queue === undefined) throw new HttpProblem(404, "NotFound", `there is no queue ${name}`);
        await queue[verb]();
        return { queue: name, paused: verb === "pause" };
      },
    }),
  );
}
