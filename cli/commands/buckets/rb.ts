import { Command } from "commander";
import type { Environment } from "../../environment.ts";
import { jsonLine, printable } from "../../output/printable.ts";
import { runJob } from "../../run-job.ts";
import { bucketUrl, type S3Url } from "../../s3-url.ts";
import { say } from "../../output/say.ts";
import { session } from "../../session.ts";

type Options = { readonly json?: true; readonly profile?: string };

/** `bucketline rb`: deletes an empty bucket. */
export function rbCommand(environment: Environment): Command {
  return new Command("rb")
    .description("delete an empty bucket; versions and unfinished uploads count as content")
    .argument("<url>", "s3://bucket", bucketUrl)
    .option("--json", "the outcome as JSON")
    .option("--profile <name>", "the workers' profile to use")
    .addHelpText(
      "after",
      `
Examples:
  1. bucketline rb s3://photos
  2. bucketline rm s3://photos --yes && bucketline rb s3://photos`,
    )
    .action(async ({ bucket }: S3Url, { json, profile }: Options) =>
      session(environment, async ({ producer, signal }) => {
        const input = { bucket, credentials: profile };
        const gone = await runJob(producer, signal, { activity: "delete-bucket", input }, (job) =>
          job.result({ signal }),
        );
        if (json) console.log(jsonLine(gone));
        else say(printable(`deleted s3://${bucket}`));
      }),
    );
}
