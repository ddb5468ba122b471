import { z } from "zod";
import type { BatchStore } from "../../batches/state/store.ts";
import { BATCH_STATES } from "../../batches/state/status.ts";
import type { RedisClient } from "../../redis/connection/client.ts";
import { type ApiRoute, defineRoute } from "../http/route.ts";
import { JOB_STATES } from "../job-views/job-fields.ts";
import { readRows } from "../job-views/list-jobs.ts";
import { findBatches } from "../search/find-batches.ts";
import { type Cursor, findJobs } from "../search/find-jobs.ts";
import type { BatchViews } from "../watch/batch-views.ts";
import { BatchSchema } from "./batches/schemas.ts";
import { jobFilter } from "./bulk-routes.ts";
import { Activity, wholeText } from "./job-schemas.ts";
import { FoundJobSchema } from "./problem-schemas.ts";

export type SearchDeps = {
  readonly redis: RedisClient;
  readonly prefix: string;
  readonly store: BatchStore;
  readonly views: BatchViews;
};

const At = z.iso.datetime().optional();
const Query = z.object({
  text: z.string().max(1024).optional().describe("Part of a key, a bucket or a label, or the beginning of an id"),
  activity: Activity.optional().describe("Only of this activity"),
  state: z
    .enum([...JOB_STATES, ...BATCH_STATES])
    .optional()
    .describe("Only in this state"),
  code: z.string().max(256).optional().describe("The code of its error"),
  bucket: z.string().max(255).optional().describe("Only of this bucket"),
  profile: z.string().max(256).optional().describe("Only with this profile"),
  since: At.describe("Ended at that time or later"),
  until: At.describe("Ended at that time or before"),
  limit: wholeText(1, 200).default(50).describe("Jobs to stop at"),
  cursor: z
    .string()
    .regex(/^\d{1,4}\.\d{1,9}(\.i)?$/, { error: "expected `next` of an answer" })
    .optional()
    .describe("`next` of the answer before"),
});

/** For how long one answer looks, in ms: the rest of the time goes into what it says of what was found. */
const BUDGET_MS = 150;

/** One search over jobs and batches. */
export function searchRoutes({ redis, prefix, store, views }: SearchDeps): readonly ApiRoute[] {
  return [
    defineRoute({
      method: "GET",
      path: "/api/search",
      access: "view",
      tag: "jobs",
      summary: "Find jobs and batches by what they are about",
      description:
        "Looks for as long as one answer may take. `next` goes on where it stopped; without it all was looked through. Batches come with the first answer.",
      query: Query,
      answers: {
        200: {
          description: "What was found so far",
          schema: z.object({
            jobs: z.array(FoundJobSchema).describe("Jobs, in no particular order"),
            batches: z.array(BatchSchema).describe("Batches, the newest first"),
            looked: z.int().describe("Jobs that were looked at for this answer"),
            next: z.string().optional().describe("Where to look on; missing when all was looked through"),
          }),
        },
      },
      handler: async ({ query: { limit, cursor, state, activity, ...rest } }) => {
        const until = performance.now() + BUDGET_MS;
        const ofJobs = JOB_STATES.find((name) => name === state);
        const ofBatches = BATCH_STATES.find((name) => name === state);
        const batches =
          cursor === undefined && activity === undefined && (state === undefined || ofBatches !== undefined)
            ? await findBatches(store, { ...rest, states: ofBatches && [ofBatches] }, limit)
            : [];
        const first: readonly (typeof JOB_STATES)[number][] = ["failed", "active", "waiting", "delayed", "completed"];
        const filter = jobFilter({ ...rest, activity, state: ofJobs }, first);
        const found =
          state !== undefined && ofJobs === undefined
            ? { jobs: [], looked: 0 }
            : await findJobs(redis, prefix, { filter, cursor: cursorOf(cursor), limit, until });
        return {
          jobs: await readRows(redis, prefix, found.jobs),
          batches: await views.of(batches),
          looked: found.looked,
          ...("next" in found && found.next && { next: textOf(found.next) }),
        };
      },
    }),
  ];
}

const textOf = ({ at, offset, indexed }: Cursor): string => `${at}.${offset}${indexed ? ".i" : ""}`;

function cursorOf(text: string | undefined): Cursor | undefined {
  if (text === undefined) return undefined;
  const [at, offset, indexed] = text.split(".");
  return { at: Number(at), offset: Number(offset), indexed: indexed !== undefined };
}
