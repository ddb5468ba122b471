import { Command } from "commander";
import type { BatchSchedule, Schedule } from "../../producer/index.ts";
import type { Environment } from "../environment.ts";
import { jsonLine, printable } from "../output/printable.ts";
import { say } from "../output/say.ts";
import { session } from "../session.ts";
import { durationText } from "../output/size-text.ts";

type Json = { readonly json?: true };
type Listed = { readonly of: string; readonly schedule: Schedule | BatchSchedule };

/** `bucketline schedules`: what is started again and again. */
export function schedulesCommand(environment: Environment): Command {
  return new Command("schedules")
    .description("list and remove schedules of jobs and batches")
    .addHelpText(
      "after",
      `
Examples:
  1. bucketline schedules list
  2. bucketline schedules remove nightly-archive`,
    )
    .addCommand(
      new Command("list")
        .description("every schedule, with its next run")
        .option("--json", "a line of JSON for each")
        .addHelpText("after", "\nExamples:\n  1. bucketline schedules list --json | jq -r .id")
        .action(async ({ json }: Json) =>
          session(environment, async ({ producer }) => {
            const [jobs, batches] = await Promise.all([producer.schedules.list(), producer.batches.schedules.list()]);
            const all: readonly Listed[] = [
              ...jobs.map((schedule) => ({ of: schedule.activity, schedule })),
              ...batches.map((schedule) => ({ of: `batch ${schedule.spec.operation}`, schedule })),
            ];
            for (const { of, schedule } of all) console.log(json ? jsonLine({ of, ...schedule }) : line(of, schedule));
          }),
        ),
    )
    .addCommand(
      new Command("remove")
        .description("remove a schedule; what it started goes on")
        .argument("<id>", "the schedule")
        .addHelpText("after", "\nExamples:\n  1. bucketline schedules remove nightly-archive")
        .action(async (id: string) =>
          session(environment, async ({ producer }) => {
            const removed = (await producer.schedules.remove(id)) || (await producer.batches.schedules.remove(id));
            if (!removed) throw new Error(`there is no schedule ${printable(id)}`);
            say(`removed ${printable(id)}`);
          }),
        ),
    );
}

function line(of: string, { id, every, cron, timezone, next }: Schedule | BatchSchedule): string {
  const rule = every === undefined ? `${cron} (${timezone ?? "UTC"})` : `every ${durationText(every / 1000)}`;
  return printable(`${id.padEnd(24)}  ${of.padEnd(18)}  ${rule.padEnd(28)}  next ${next.toISOString().slice(0, 19)}Z`);
}
