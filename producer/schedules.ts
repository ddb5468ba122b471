import type { JobSchedulerJson } from "bullmq";
import { z } from "zod";
import { ActivityError } from "../model/activity-error.ts";
import { type ActivityInput, type ActivityName, activityNames } from "../jobs/contracts.ts";
import { bullOptions, OWN_TRACE, TemplateOptions } from "./jobs/options.ts";
import { contractOf, parseInput, parseOptions } from "../jobs/parse-input.ts";
import type { ActOptions, Recorder } from "./audit/recorder.ts";
import type { QueuePool } from "./queue-pool.ts";
import { describeRepeat, repeatOf, type ScheduleRule } from "./schedule-rule.ts";

export type { ScheduleRule } from "./schedule-rule.ts";
import type { RedisConnection } from "../redis/connection/open.ts";

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
  /**
   * Every schedule, by id.
   *
   * @example
   * for (const { id, activity, next } of await producer.schedules.list()) console.log(id, activity, next);
   */
  list(): Promise<Schedule[]>;
  /**
   * False where there was none. Jobs that it made already are left.
   *
   * @example
   * console.log(await producer.schedules.remove("nightly"));
   */
  remove(id: string, options?: ActOptions): Promise<boolean>;
};

type Scheduling = { readonly redis: RedisConnection; readonly queues: QueuePool; readonly record: Recorder };

// A colon would make the ids of its jobs ambiguous.
const ScheduleId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, {
  error: "expected an id: 1 to 128 letters, digits, dots, hyphens or underscores",
});

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
  const repeat = repeatOf(id, schedule.rule);
  const data = parseInput(contract, schedule.input);
  const chosen = bullOptions(parseOptions(`options of schedule ${id}`, TemplateOptions, options));
  const opts = { ...chosen, telemetry: OWN_TRACE };
  const made = await scheduling.redis.run(`schedule ${id}`, async () => {
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
  await scheduling.record({ action: "schedule.put", target: { kind: "schedule", id }, detail: contract.name });
  return made;
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
    remove: async (id, { reason } = {}) => {
      const removed = await scheduling.redis.run(
        `remove schedule ${id}`,
        async () => await removeFrom(scheduling, id, activityNames),
      );
      if (removed) await scheduling.record({ action: "schedule.remove", target: { kind: "schedule", id }, reason });
      return removed;
    },
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
    ...describeRepeat(stored),
    next: new Date(stored.next ?? 0),
    // BullMQ keeps no empty input.
    input: stored.template?.data ?? {},
  };
}
