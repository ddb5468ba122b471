import { Command } from "commander";
import type { Environment } from "../../environment.ts";
import { jsonLine, printable } from "../../output/printable.ts";
import { runJob } from "../../run-job.ts";
import { bucketUrl, type S3Url } from "../../s3-url.ts";
import { say } from "../../output/say.ts";
import { session } from "../../session.ts";

type Options = { readonly region?: string; readonly json?: true; readonly profile?: string };

/** `bucketline mb`: makes a bucket. */
export function mbCommand(environment: Environment): Command {
  return new Command("mb")
    .description("make a bucket; one that is yours already counts as made")
    .argument("<url>", "s3://bucket", bucketUrl)
    .option("--region <region>", "default: the profile's")
    .option("--json", "what was made as JSON")
    .option("--profile <name>", "the workers' profile to use")
    .addHelpText(
      "after",
      `
Examples:
  1. bucketline mb s3://photos
  2. bucketline mb s3://photos-eu --region eu-central-1`,
    )
    .action(async ({ bucket }: S3Url, { region, json, profile }: Options) =>
      session(environment, async ({ producer, signal }) => {
        const input = { bucket, region, credentials: profile };
        const made = await runJob(producer, signal, { activity: "create-bucket", input }, (job) =>
          job.result({ signal }),
        );
        if (json) console.log(jsonLine(made.bucket));
        else say(printable(`made s3://${bucket}${made.bucket.region ? ` in ${made.bucket.region}` : ""}`));
      }),
    );
}
