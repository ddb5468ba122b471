import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { type ActivityName, activityNames, contracts } from "../../jobs/contracts.ts";
import type { Contract } from "../../jobs/contract.ts";
import { type EnqueueOptions, type Producer } from "../../producer/index.ts";
import { type ApiRoute, defineRoute } from "../http/route.ts";
import { touchedByJob } from "../access/touched.ts";
import { type Enqueued, EnqueuedSchema, inputName, jobName, wholeText } from "./job-schemas.ts";

const MAX_DELAY_MS = 366 * 24 * 3_600_000;
const Options = z.object({
  delay: wholeText(0, MAX_DELAY_MS).optional().describe("Milliseconds before it may start"),
  priority: wholeText(0, 2_097_151).optional().describe("0 goes first"),
  attempts: wholeText(1, 1000).optional().describe("How often it is tried in all; default 5"),
});
const Headers = z.object({
  "idempotency-key": z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe("The same key with the same input is the same job, for 7 days; with another input it is 409"),
});

/** One route for each activity, so that the OpenAPI document tells each one's own input and result. */
export function activityRoutes({ producer }: { readonly producer: Producer }): readonly ApiRoute[] {
  const list = defineRoute({
    method: "GET",
    path: "/api/activities",
    access: "view",
    tag: "activities",
    summary: "What may be asked",
    touches: () => [],
    answers: {
      200: {
        description: "Every activity",
        schema: z.object({
          activities: z
            .array(
              z.object({
                name: z.string().describe("Name of the activity"),
                summary: z.string().describe("What it does"),
                url: z.string().describe("Where its jobs are enqueued"),
              }),
            )
            .describe("All there are"),
        }),
      },
    },
    handler: async ({ request }) => ({
      activities: activityNames.filter(mayAsk(request)).map((name) => ({
        name,
        summary: contracts[name].summary,
        url: `${request.base}/api/activities/${name}/jobs`,
      })),
    }),
  });
  return [list, ...activityNames.map((name) => enqueueRoute(name, producer))];
}

function mayAsk({ identity }: FastifyRequest): (name: string) => boolean {
  const activities = identity?.scope?.activities;
  return (name) => activities === undefined || activities.includes(name);
}

function enqueueRoute(name: ActivityName, producer: Producer): ApiRoute {
  const contract: Contract = contracts[name];
  return defineRoute({
    method: "POST",
    path: `/api/activities/${name}/jobs`,
    access: "operate",
    tag: "activities",
    summary: contract.summary,
    description: `Enqueues a job. The body is its input; its result will be that of a ${jobName(name)}.`,
    query: Options,
    headers: Headers,
    body: { schema: contract.input.meta({ id: inputName(name), description: `What ${name} is asked` }) },
    answers: { 202: { description: "Accepted; `url` tells its state and result", schema: EnqueuedSchema } },
    touches: ({ request }) => touchedByJob(name, request.body),
    act: (_call, answer) => ({
      action: "job.add",
      target: { kind: "job", activity: name, id: (answer as Enqueued | undefined)?.id ?? "" },
    }),
    handler: async ({ request, query, headers }, reply) => {
      const options: EnqueueOptions = {
        ...Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)),
        ...(headers["idempotency-key"] !== undefined && { idempotencyKey: headers["idempotency-key"] }),
      };
      // The input goes on as it came: defaults are the worker's to fill in, and the idempotency key stands for what was sent.
      const job = await producer.enqueue(name, request.body as never, options); // the route parsed it with its contract
      const url = `/api/jobs/${name}/${encodeURIComponent(job.id)}`;
      reply.code(202).header("location", url);
      return { id: job.id, activity: name, url: request.base + url };
    },
  });
}
