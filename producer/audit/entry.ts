import { z } from "zod";

/** The most entries that are kept; of what was added to queues, as many again, so that a flood of jobs hides nothing else. */
export const AUDIT_LENGTH = 10_000;
/** The most entries on one thing's timeline, and for how many seconds after the last one they are kept; a job's go with the job. */
export const TIMELINE = { length: 100, seconds: 90 * 24 * 3600 } as const;

export const MAX_ACTOR = 128;
export const MAX_REASON = 500;

const text = (most: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(most)
    .regex(/^\P{Cc}+$/u, { error: "expected one line of text" });

/** Who acts: a name for people. */
export const ActorName = text(MAX_ACTOR);
/** Why: a line for people. */
export const Reason = text(MAX_REASON);

/** Any text as a reason: in one line, and cut. */
export function oneLine(given: string): string {
  return given
    .slice(0, MAX_REASON)
    .replaceAll(/\p{Cc}+/gu, " ")
    .trim();
}

/** What was acted on. */
export const AuditTarget = z
  .object({
    kind: z.string().max(32).describe("What it is: job, batch, schedule, queue, document ..."),
    id: z.string().max(1024).describe("Its id"),
    activity: z.string().max(64).optional().describe("Queue of a job"),
  })
  .meta({ id: "ActTarget", description: "What was acted on" });
export type AuditTarget = z.infer<typeof AuditTarget>;

/** One act: who did what to what, when and why. */
export const AuditEntry = z
  .object({
    id: z.string().describe("Place in the record"),
    at: z.iso.datetime().describe("When, by the clock of Redis"),
    actor: z.string().describe("Who"),
    known: z
      .string()
      .describe("How the actor was known: session, token, proxy, oidc, host, open; app and cli say it themselves"),
    via: z.string().describe("Through what: dashboard, api, cli or app"),
    action: z.string().describe("The thing and the verb, such as batch.cancel"),
    target: AuditTarget.optional().describe("On what"),
    reason: z.string().optional().describe("Why"),
    failed: z.string().optional().describe("Code of the error where it failed after it may have taken effect"),
    detail: z.string().optional().describe("A few words more"),
  })
  .meta({ id: "Act", description: "Who did what to what, when and why" });
export type AuditEntry = z.infer<typeof AuditEntry>;

/** An act that is to be written down. */
export type Act = Omit<AuditEntry, "id" | "at">;

/** The longest detail that is kept. */
export const MAX_DETAIL = 300;
