import { Command, Option } from "commander";
import { BATCH_STATES, type BatchState, type BatchStatus } from "../../batches/state/status.ts";
import { ROW_STATUSES, type RowStatus } from "../../batches/report/row.ts";
import type { BatchHandle } from "../../producer/index.ts";
import { batchLine, summary } from "../batches/text.ts";
import type { Environment } from "../environment.ts";
import { batchPriority, objectRate, positiveInteger } from "../option-values.ts";
import { jsonLine, printable } from "../output/printable.ts";
import { note, say } from "../output/say.ts";
import { startFromManifest } from "../batches/start-from-manifest.ts";
import { type Session, session } from "../session.ts";
import { watchBatch } from "../batches/watch.ts";

type Json = { readonly json?: true };
type Work = (open: Session, batch: BatchHandle, options: Json) => Promise<void>;

/** `bucketline batch`: look at batches and steer them, from anywhere. */
export function batchCommand(environment: Environment): Command {
  const command = new Command("batch").description("look at batches and steer them").addHelpText(
    "after",
    `
Examples:
  1. bucketline batch list --state running
  2. bucketline batch watch ID
  3. bucketline batch pause ID; bucketline batch resume ID
  4. bucketline batch report ID --only failed > failed.ndjson
  5. bucketline batch retry ID`,
  );
  for (const below of [
    listCommand(environment),
    onBatch(environment, "status", "what a batch has done so far", status).addHelpText(
      "after",
      examples("batch status ID", "batch status ID --json | jq .errors"),
    ),
    onBatch(environment, "watch", "show a batch's progress until it is at rest", watchBatch).addHelpText(
      "after",
      examples("batch watch ID", "batch watch ID --json | jq .succeeded"),
    ),
    onBatch(environment, "pause", "start no more objects; what is done is kept", steer("pause")).addHelpText(
      "after",
      examples("batch pause ID", "batch list --state running --json | jq -r .id | xargs -n 1 bucketline batch pause"),
    ),
    onBatch(environment, "resume", "go on where it was paused", steer("resume")).addHelpText(
      "after",
      examples("batch resume ID", "batch resume ID && bucketline batch watch ID"),
    ),
    onBatch(environment, "cancel", "end it; nothing is deleted after workers see that", steer("cancel")).addHelpText(
      "after",
      examples("batch cancel ID", "batch cancel ID && bucketline batch report ID --only unattempted"),
    ),
    onBatch(environment, "confirm", "start exactly what a dry run planned", confirm).addHelpText(
      "after",
      examples("batch confirm ID", "batch confirm ID --json"),
    ),
    startFromManifest(environment),
    priorityCommand(environment),
    rateCommand(environment),
    reportCommand(environment),
    retryCommand(environment),
  ])
    command.addCommand(below);
  return command;
}

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line, index) => `  ${index + 1}. bucketline ${line}`).join("\n")}`;
}

function onBatch(environment: Environment, name: string, description: string, work: Work): Command {
  return new Command(name)
    .description(description)
    .argument("<id>", "the batch")
    .option("--json", "JSON")
    .action(async (id: string, options: Json) =>
      session(environment, (open) => work(open, open.producer.batches.get(id), options)),
    );
}

function listCommand(environment: Environment): Command {
  return new Command("list")
    .description("batches, newest first")
    .addOption(new Option("--state <state>", "only these").choices([...BATCH_STATES]))
    .option("--limit <number>", "at most so many", positiveInteger, 50)
    .option("--json", "a line of JSON for each")
    .addHelpText(
      "after",
      examples("batch list", "batch list --state failed --limit 10", "batch list --json | jq -r .id"),
    )
    .action(async ({ state, limit, json }: Json & { readonly state?: BatchState; readonly limit: number }) =>
      session(environment, async ({ producer }) => {
        let left = limit;
        let cursor: string | undefined;
        do {
          const page = await producer.batches.list({ state, cursor, limit: Math.min(left, 500) });
          for (const batch of page.batches) console.log(json ? jsonLine(batch) : batchLine(batch));
          left -= page.batches.length;
          cursor = page.next;
        } while (cursor !== undefined && left > 0);
      }),
    );
}

const status: Work = async (_, batch, { json }) => tell(await batch.status(), json);

const steer =
  (verb: "pause" | "resume" | "cancel"): Work =>
  async (_, batch, { json }) => {
    const state = await batch[verb]();
    if (json) console.log(jsonLine({ id: batch.id, state }));
    else say(`batch ${batch.id} is ${state}`);
  };

const confirm: Work = async (open, batch, options) => {
  await batch.confirm();
  await watchBatch(open, batch, options);
};

function priorityCommand(environment: Environment): Command {
  return new Command("priority")
    .description("let a batch go before or after others: 1 goes first, 2000 last")
    .argument("<id>", "the batch")
    .argument("<priority>", "1 to 2000", batchPriority)
    .option("--json", "JSON")
    .addHelpText("after", examples("batch priority ID 1", "batch priority ID 2000"))
    .action(async (id: string, priority: number, { json }: Json) =>
      session(environment, async ({ producer }) => {
        await producer.batches.get(id).setPriority(priority);
        if (json) console.log(jsonLine({ id, priority }));
        else say(`batch ${printable(id)} has priority ${priority}`);
      }),
    );
}

function rateCommand(environment: Environment): Command {
  return new Command("rate")
    .description("hold a batch to so many objects a second from now on, or lift the limit")
    .argument("<id>", "the batch")
    .argument("<rate>", "objects a second, or none", objectRate)
    .option("--json", "JSON")
    .addHelpText("after", examples("batch rate ID 100", "batch rate ID none"))
    .action(async (id: string, rate: number | undefined, { json }: Json) =>
      session(environment, async ({ producer }) => {
        await producer.batches.get(id).setRate(rate);
        if (json) console.log(jsonLine({ id, maxObjectsPerSecond: rate ?? null }));
        else
          say(`batch ${printable(id)} ${rate === undefined ? "has no limit" : `is held to ${rate} objects a second`}`);
      }),
    );
}

function reportCommand(environment: Environment): Command {
  return new Command("report")
    .description("a row for each object: JSON lines, or CSV in the columns of S3 Batch Operations")
    .argument("<id>", "the batch")
    .addOption(new Option("--only <status...>", "rows of these").choices([...ROW_STATUSES]))
    .option("--csv", "CSV with a header")
    .addHelpText(
      "after",
      examples(
        "batch report ID",
        "batch report ID --only failed > failed.ndjson",
        "batch report ID --csv > report.csv",
      ),
    )
    .action(async (id: string, { only, csv }: { readonly only?: readonly RowStatus[]; readonly csv?: true }) =>
      session(environment, async ({ producer, signal }) => {
        const batch = producer.batches.get(id);
        if (csv)
          for await (const line of batch.reportCsv({ only, signal, header: true }))
            console.log(printable(line.trimEnd()));
        else for await (const row of batch.report({ only, signal })) console.log(jsonLine(row));
      }),
    );
}

function retryCommand(environment: Environment): Command {
  return new Command("retry")
    .description("start a batch over the objects that failed")
    .argument("<id>", "the batch")
    .option("--include-unattempted", "and over those that it did not get to")
    .option("--detach", "print the new batch's id and do not wait")
    .option("--json", "JSON")
    .addHelpText(
      "after",
      examples(
        "batch retry ID",
        "batch retry ID --include-unattempted",
        'batch watch "$(bucketline batch retry ID --detach)"',
      ),
    )
    .action(async (id: string, options: Json & { readonly includeUnattempted?: true; readonly detach?: true }) =>
      session(environment, async (open) => {
        const { includeUnattempted, detach, json } = options;
        const again = await open.producer.batches.get(id).retryFailed({ includeUnattempted, signal: open.signal });
        if (detach) return console.log(json ? jsonLine({ id: again.id }) : again.id);
        note(`batch ${again.id}`);
        await watchBatch(open, again, options);
      }),
    );
}

function tell(of: BatchStatus, json: true | undefined): void {
  if (json) return console.log(jsonLine(of));
  console.log(batchLine(of));
  console.log(summary(of));
  if (of.trouble !== undefined) console.log(`  held up since ${of.trouble.at} by ${printable(of.trouble.message)}`);
}
