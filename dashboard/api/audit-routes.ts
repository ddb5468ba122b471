import { z } from "zod";
import { AuditEntry } from "../../producer/audit/entry.ts";
import { actsOn, listActs } from "../../producer/audit/log.ts";
import type { RedisClient } from "../../redis/connection/client.ts";
import { type RedisKeys, redisKeys } from "../../redis/keys.ts";
import { type ApiRoute, defineRoute } from "../http/route.ts";
import { JobId, QueueName, wholeText } from "./job-schemas.ts";

const tag = "audit";
const Word = z.string().min(1).max(128);

/** Who did what to what, when and why. */
export function auditRoutes({
  redis,
  prefix,
}: {
  readonly redis: RedisClient;
  readonly prefix: string;
}): readonly ApiRoute[] {
  const keys = redisKeys(prefix);
  return [listRoute(redis, keys), thingRoute(redis, keys)];
}

function listRoute(redis: RedisClient, keys: RedisKeys): ApiRoute {
  return defineRoute({
    method: "GET",
    path: "/api/audit",
    access: "view",
    tag,
    summary: "Who did what to what, when and why, newest first",
    description:
      "From dashboard, API, command line and apps. The newest 10,000 acts are kept, and as many jobs that were added by somebody with a name.",
    query: z.object({
      actor: Word.optional().describe("Only acts of this actor"),
      action: Word.optional().describe("Such as `batch.cancel`, or `batch` for all of its acts"),
      kind: Word.optional().describe("Of the thing: job, batch, schedule, document, queue ..."),
      id: z.string().min(1).max(1024).optional().describe("Of the thing"),
      limit: wholeText(1, 200).default(50).describe("At most so many"),
      cursor: z
        .string()
        .regex(/^\d{1,16}-\d{1,16}$/, { error: "expected `next` of a page" })
        .optional()
        .describe("`next` of the page before"),
    }),
    answers: {
      200: {
        description: "A page; `next` is the cursor of the next one",
        schema: z.object({
          entries: z.array(AuditEntry).describe("The page"),
          next: z.string().optional().describe("Cursor of the next page; absent: this is the last"),
        }),
      },
    },
    handler: ({ query }) => listActs(redis, keys, query),
  });
}

function thingRoute(redis: RedisClient, keys: RedisKeys): ApiRoute {
  return defineRoute({
    method: "GET",
    path: "/api/audit/:kind/:id",
    access: "view",
    tag,
    summary: "What was done to one thing, oldest first",
    description:
      "At most the newest 100 acts; those on a job are kept as long as the job is. A job's queue goes into `activity`.",
    params: z.object({
      kind: z
        .string()
        .regex(/^[a-z-]{1,32}$/, { error: "expected a kind of thing" })
        .describe("What it is"),
      id: JobId,
    }),
    query: z.object({ activity: QueueName.optional().describe("Queue of a job") }),
    answers: {
      200: { description: "Acts", schema: z.object({ entries: z.array(AuditEntry).describe("Oldest first") }) },
    },
    handler: async ({ params: { kind, id }, query: { activity } }) => ({
      entries: await actsOn(redis, keys, { kind, id, ...(activity !== undefined && { activity }) }),
    }),
  });
}
