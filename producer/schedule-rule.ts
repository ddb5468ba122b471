import { getNextMillis, type JobSchedulerJson } from "bullmq";
import { z } from "zod";
import { ActivityError } from "../model/activity-error.ts";
import { unsaid } from "../jobs/meant-branch.ts";
import { parseOptions } from "../jobs/parse-input.ts";

/** When jobs are made, or batches started: at an interval, or by a cron expression. */
export type ScheduleRule =
  | {
      /** Milliseconds, or a number with its unit: `30s`, `5m`, `1h`, `1d`; at least a second. The first job is made at once. */
      readonly every: number | string;
      readonly cron?: undefined;
      readonly timezone?: undefined;
    }
  | {
      /** Five fields (minute, hour, day of month, month, day of week), or six with seconds in front. */
      readonly cron: string;
      /** An IANA name such as `Europe/Berlin`. Default `UTC`. */
      readonly timezone?: string | undefined;
      readonly every?: undefined;
    };

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const MIN_EVERY_MS = 1000;
const MAX_EVERY_MS = 366 * 86_400_000;

const EVERY = "expected milliseconds or a duration such as 30s, 5m, 1h, 1d, from a second to a year";

const Every = z
  .union(
    [
      z.int({ error: EVERY }).min(MIN_EVERY_MS, { error: EVERY }).max(MAX_EVERY_MS, { error: EVERY }),
      z
        .string()
        .max(64)
        .regex(/^\s*\d+\s*(ms|s|m|h|d)\s*$/, { error: EVERY })
        .transform(milliseconds),
    ],
    { error: EVERY },
  )
  .refine((every) => every >= MIN_EVERY_MS && every <= MAX_EVERY_MS, { error: EVERY });

const Timezone = z
  .string()
  .max(64)
  .refine(isTimezone, { error: "expected the IANA name of a timezone such as Europe/Berlin" });

/** A {@link ScheduleRule}, as it is given. Whether a cron expression is one is looked at by {@link repeatOf}. */
export const ScheduleRuleSchema = z.union(
  [
    z
      .strictObject({
        every: Every.meta({ description: "Milliseconds, or such as 30s, 5m, 1h, 1d; from a second to a year" }),
        cron: unsaid(),
        timezone: unsaid(),
      })
      .meta({ id: "EveryRule", description: "At an interval" }),
    z
      .strictObject({
        cron: z.string().min(1).max(256).meta({
          description: "Five fields (minute, hour, day of month, month, day of week), or six with seconds in front",
        }),
        timezone: Timezone.default("UTC").meta({ description: "The time zone of that: an IANA name" }),
        every: unsaid(),
      })
      .meta({ id: "CronRule", description: "By a cron expression" }),
  ],
  { error: "expected either every or cron" },
);

/** The rule of a stored schedule, in our words. */
export function describeRepeat({ every, pattern, tz }: JobSchedulerJson) {
  return {
    ...(every !== undefined && { every }),
    ...(pattern !== undefined && { cron: pattern }),
    ...(tz !== undefined && { timezone: tz }),
  };
}

function parseRule(id: string, rule: unknown): z.output<typeof ScheduleRuleSchema> {
  const { cron, every } = (typeof rule === "object" && rule !== null ? rule : {}) as Readonly<Record<string, unknown>>; // any may be missing
  if (cron !== undefined && every !== undefined)
    throw new ActivityError("InvalidInput", `schedule ${id}: expected either every or cron, got both`, {
      field: "every",
    });
  const [everyRule, cronRule] = ScheduleRuleSchema.options;
  return parseOptions(`schedule ${id}`, cron === undefined ? everyRule : cronRule, rule);
}

/** The rule as BullMQ takes it. Throws `InvalidInput`, which names the field. */
export function repeatOf(id: string, given: ScheduleRule): { every: number } | { pattern: string; tz: string } {
  const rule = parseRule(id, given);
  if (rule.cron === undefined) return { every: rule.every };
  const repeat = { pattern: rule.cron, tz: rule.timezone };
  try {
    if (/^\S+(\s+\S+){4,5}$/.test(rule.cron.trim()) && getNextMillis(Date.now(), repeat)) return repeat;
  } catch (cause) {
    throw cronError(id, rule.cron, cause);
  }
  throw cronError(id, rule.cron);
}

function cronError(id: string, cron: string, cause?: unknown): ActivityError {
  const why = cause instanceof Error ? ` (${cause.message})` : "";
  return new ActivityError(
    "InvalidInput",
    `schedule ${id}: cron: expected five fields such as "0 3 * * *", or six with seconds in front, got ${JSON.stringify(cron)}${why}`,
    { field: "cron", cause },
  );
}

function milliseconds(text: string): number {
  const [, amount, unit = ""] = /^(\d+)\s*(\w+)$/.exec(text.trim()) ?? [];
  return Number(amount) * (UNITS[unit] ?? Number.NaN);
}

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    // Intl has no other way to ask.
    return false;
  }
}
