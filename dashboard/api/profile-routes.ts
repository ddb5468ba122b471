import { z } from "zod";
import { ActivityError } from "../../model/activity-error.ts";
import type { Producer } from "../../producer/index.ts";
import type { RedisClient } from "../../redis/connection/client.ts";
import { HttpProblem } from "../http/problem.ts";
import { abortedWith } from "../http/request-signal.ts";
import { type ApiRoute, defineRoute } from "../http/route.ts";
import { readJob } from "../job-views/read-job.ts";
import { readProfiles } from "../profiles/read.ts";
import { JobErrorSchema } from "./job-schemas.ts";
import { ProfileSchema } from "./page-schemas.ts";

export type ProfileRouteDeps = { readonly redis: RedisClient; readonly prefix: string; readonly producer: Producer };

const tag = "profiles";
/** A proof asks the store once; a worker that is busy may take its time to begin. */
const PROOF_MS = 30_000;
/** The workers' profiles. The dashboard holds none of their secrets, and asks a worker to prove one. */
export function profileRoutes({ redis, prefix, producer }: ProfileRouteDeps): readonly ApiRoute[] {
  return [
    defineRoute({
      method: "GET",
      path: "/api/profiles",
      access: "view",
      tag,
      summary: "The workers' profiles, and how they stand",
      description: "As workers told when they started, without secrets. Those that the store refuses come first.",
      answers: {
        200: {
          description: "Profiles",
          schema: z.object({ profiles: z.array(ProfileSchema).describe("All of them") }),
        },
      },
      handler: async () => ({ profiles: await readProfiles(redis, prefix) }),
    }),
    defineRoute({
      method: "POST",
      path: "/api/profiles/:name/test",
      access: "operate",
      tag,
      summary: "Let a worker prove a profile's credentials now",
      params: z.object({ name: z.string().min(1).max(128).describe("Name of the profile") }),
      answers: {
        200: {
          description: "What came of it",
          schema: z.object({
            accepted: z.boolean().optional().describe("Missing where no worker took it within half a minute"),
            path: z.string().describe("The job's page, below the dashboard's own address"),
            error: JobErrorSchema.optional().describe("Why it is not accepted"),
          }),
        },
      },
      handler: async ({ params: { name } }, reply) => {
        const known = (await readProfiles(redis, prefix)).some((profile) => profile.name === name);
        if (!known) throw new HttpProblem(404, "NotFound", `no worker has told of a profile ${name}`);
        const job = await producer.enqueue("validate-credentials", { credentials: name }, { attempts: 1 });
        const path = `/jobs/validate-credentials/${encodeURIComponent(job.id)}`;
        try {
          const accepted = await job.succeeded({ timeout: PROOF_MS, signal: abortedWith(reply) });
          const view = accepted
            ? undefined
            : await readJob(redis, prefix, { activity: "validate-credentials", id: job.id });
          return { accepted, path, ...(view?.error !== undefined && { error: view.error }) };
        } catch (error) {
          if (error instanceof ActivityError && error.code === "WaitTimeout") return { path };
          throw error;
        }
      },
    }),
  ];
}
