import { getNextMillis, type JobSchedulerJson } from "bullmq";
import { z } from "zod";
import { ActivityError } from "../model/activity-error.ts";
import { parseOptions } from "../jobs/parse-input.ts";

/** When a batch starts: at an interval, or by a cron expression. */
export type BatchScheduleRule =
  | { /** Milliseconds; at least a second. */ readonly every: number }
  | {
      /** Five fields, or six with seconds in front. */
      readonly cron: string;
      /** An IANA name such as `Europe/Berlin`. Default `UTC`. */
      readonly timezone?: string | undefined;
    };

const YEAR_MS = 366 * 24 * 3_600_000;
const Rule = z.union([
  z.strictObject({ every: z.int().min(1000).max(YEAR_MS) }),
  z.strictObject({ cron: z.string(), timezone: z.string().default("UTC") }),
]);

/** The rule as BullMQ takes it. Throws `InvalidInput`. */
export function repeatOf(id: string, rule: BatchScheduleRule): { every: number } | { pattern: string; tz: string } {
  const parsed = parseOptions(`schedule ${id}`, Rule, rule);
  if ("every" in parsed) return parsed;
  const repeat = { pattern: parsed.cron, tz: parsed.timezone };
  try {
    if (/^\S+(\s+\S+){4,5}$/.test(parsed.cron.trim()) && getNextMillis(Date.now(), repeat)) return repeat;
  } catch (cause) {
    throw badCron(id, parsed, cause);
  }
  throw badCron(id, parsed);
}

export function describeRepeat({ every, pattern, tz }: JobSchedulerJson) {
  return {
    ...(every !== undefined && { every }),
    ...(pattern !== undefined && { cron: pattern }),
    ...(tz !== undefined && { timezone: tz }),
  };
}

function badCron(id: string, { cron, timezone }: { cron: string; timezone: string }, cause?: unknown): ActivityError {
  return new ActivityError(
    "InvalidInput",
    `schedule ${id}: cron: expected five fields such as "0 3 * * *" or six, in a known timezone, got ${JSON.stringify(cron)} in ${timezone}`,
    { field: "cron", cause },
  );
}
