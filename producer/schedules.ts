import { getNextMillis, type JobSchedulerJson } from "bullmq";
import { z } from "zod";
import { ActivityError } from "../model/activity-error.ts";
import { type ActivityInput, type ActivityName, activityNames } from "../jobs/contracts.ts";
import { bullOptions, OWN_TRACE, TemplateOptions } from "./job-options.ts";
import { contractOf, parseInput, parseOptions } from "../jobs/parse-input.ts";
import type { QueuePool } from "./queue-pool.ts";
import type { RedisConnection } from "../redis/connection.ts";

/** When jobs are made: at an interval, or by a cron expression. */
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

/** A schedule as it is kept in Redis. */
export type Schedule = {
  readonly id: string;
  readonly activity: ActivityName;
  /** Milliseconds; of schedules with an interval. */
  readonly every?: number;
  readonly cron?: string;
  readonly timezone?: string;
  /** When the next job is due. */
  readonly next: Date;
  readonly input: unknown;
};

/** Schedules make jobs over and over; they live in Redis and go on without the producer. */
export type Schedules = {
  /** Every schedule, by id. */
  list(): Promise<Schedule[]>;
  /** False where there was none. Jobs that it made already are left. */
  remove(id: string): Promise<boolean>;
};

type Scheduling = { readonly redis: RedisConnection; readonly queues: QueuePool };

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const MIN_EVERY_MS = 1000;
const MAX_EVERY_MS = 366 * 86_400_000;

// A colon would make the ids of its jobs ambiguous.
const ScheduleId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, {
  error: "expected an id: 1 to 128 letters, digits, dots, hyphens or underscores",
});

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

/** Makes or replaces the schedule `id`; an id stands for one schedule, whatever its activity. */
export async function putSchedule<Name extends ActivityName>(
  scheduling: Scheduling,
  schedule: {
    readonly id: string;
    readonly rule: ScheduleRule;
    readonly activity: Name;
    readonly input: ActivityInput<Name>;
  },
  options: z.input<typeof TemplateOptions>,
): Promise<Schedule> {
  const contract = contractOf(schedule.activity);
  const id = parseOptions("schedule id", ScheduleId, schedule.id);
  const repeat = repeatOptions(id, parseRule(id, schedule.rule));
  const data = parseInput(contract, schedule.input);
  const chosen = bullOptions(parseOptions(`options of schedule ${id}`, TemplateOptions, options));
  const opts = { ...chosen, telemetry: OWN_TRACE };
  return await scheduling.redis.run(`schedule ${id}`, async () => {
    const queue = await scheduling.queues.get(contract.name);
    await queue.upsertJobScheduler(id, repeat, { name: contract.name, data, opts });
    await removeFrom(
      scheduling,
      id,
      activityNames.filter((name) => name !== contract.name),
    );
    const stored = await queue.getJobScheduler(id);
    if (!stored)
      throw new ActivityError("ScheduleRemoved", `schedule ${id} was removed while it was made`, { retryable: true });
    return described(contract, id, stored);
  });
}

export function createSchedules(scheduling: Scheduling): Schedules {
  return {
    list: async () =>
      await scheduling.redis.run("list schedules", async () => {
        const lists = await Promise.all(
          activityNames.map(async (name) => {
            const stored = await (await scheduling.queues.get(name)).getJobSchedulers();
            return stored.map((scheduler) => described(contractOf(name), scheduler.key, scheduler));
          }),
        );
        return lists.flat().toSorted((a, b) => (a.id < b.id ? -1 : 1));
      }),
    remove: async (id) =>
      await scheduling.redis.run(`remove schedule ${id}`, async () => await removeFrom(scheduling, id, activityNames)),
  };
}

async function removeFrom({ queues }: Scheduling, id: string, names: readonly ActivityName[]): Promise<boolean> {
  const removed = await Promise.all(names.map(async (name) => await (await queues.get(name)).removeJobScheduler(id)));
  return removed.includes(true);
}

function described(contract: { readonly name: ActivityName }, id: string, stored: JobSchedulerJson): Schedule {
  return {
    id,
    activity: contract.name,
    ...(stored.every !== undefined && { every: stored.every }),
    ...(stored.pattern !== undefined && { cron: stored.pattern }),
    ...(stored.tz !== undefined && { timezone: stored.tz }),
    next: new Date(stored.next ?? 0),
    input: stored.template?.data,
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

function repeatOptions(id: string, rule: z.output<typeof Rule>) {
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
