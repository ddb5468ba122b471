import { getNextMillis, type JobSchedulerJson } from "bullmq";
import { z } from "zod";
import { ActivityError } from "../model/activity-error.ts";
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

const Every = z
  .union([z.number(), z.string().transform(milliseconds)], {
    error: "expected milliseconds or a duration such as 30s, 5m, 1h, 1d",
  })
  .refine((every) => Number.isInteger(every) && every >= MIN_EVERY_MS && every <= MAX_EVERY_MS, {
    error: "expected milliseconds or a duration such as 30s, 5m, 1h, 1d, from a second to a year",
  });

const Timezone = z.string().refine(isTimezone, { error: "expected the IANA name of a timezone such as Europe/Berlin" });

const Rule = z.union([
  z.strictObject({ every: Every, cron: z.undefined().optional(), timezone: z.undefined().optional() }),
  z.strictObject({ cron: z.string(), timezone: Timezone.default("UTC"), every: z.undefined().optional() }),
]);

/** The rule of a stored schedule, in our words. */
export function describeRepeat({ every, pattern, tz }: JobSchedulerJson) {
  return {
    ...(every !== undefined && { every }),
    ...(pattern !== undefined && { cron: pattern }),
    ...(tz !== undefined && { timezone: tz }),
  };
}

function parseRule(id: string, rule: unknown): z.output<typeof Rule> {
  // Of a union zod tells what is wrong with each branch; the one that was meant is known.
  const { cron, every } = (typeof rule === "object" && rule !== null ? rule : {}) as Readonly<Record<string, unknown>>; // any may be missing
  if (cron !== undefined && every !== undefined)
    throw new ActivityError("InvalidInput", `schedule ${id}: expected either every or cron, got both`, {
      field: "every",
    });
  return parseOptions(`schedule ${id}`, cron === undefined ? Rule.options[0] : Rule.options[1], rule);
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
  const [, amount, unit] = /^(\d+)\s*(ms|s|m|h|d)$/.exec(text.trim()) ?? [];
  return amount === undefined ? Number.NaN : Number(amount) * (UNITS[unit ?? ""] ?? Number.NaN);
}

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    // Intl has no other way to ask.
    return false;
  }
}
