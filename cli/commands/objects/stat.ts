import { Command } from "commander";
import { addRequestOptions, type RequestOptions } from "../../attribute-options.ts";
import type { Environment } from "../../environment.ts";
import { jsonLine, printable } from "../../output/printable.ts";
import { runJob } from "../../run-job.ts";
import { type S3Url, s3Url, shown } from "../../s3-url.ts";
import { session } from "../../session.ts";

type Options = RequestOptions & { readonly versionId?: string; readonly json?: true; readonly profile?: string };

/** `bucketline stat`: all that the store tells of one object, or of a bucket. */
export function statCommand(environment: Environment): Command {
  const command = new Command("stat")
    .description("show what the store knows of an object or a bucket")
    .argument("<url>", "s3://bucket/key or s3://bucket", s3Url)
    .option("--version-id <id>", "this version of the object")
    .option("--json", "as JSON")
    .option("--profile <name>", "the workers' profile to use");
  return addRequestOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  1. bucketline stat s3://photos/2026/cat.jpg
  2. bucketline stat s3://photos --json | jq -r .region`,
    )
    .action(async (url: S3Url, { versionId, json, profile, customerKey, requesterPays }: Options) =>
      session(environment, async ({ producer, signal }) => {
        const facts =
          url.key === ""
            ? (
                await runJob(
                  producer,
                  signal,
                  { activity: "head-bucket", input: { bucket: url.bucket, credentials: profile } },
                  (job) => job.result({ signal }),
                )
              ).bucket
            : (
                await runJob(
                  producer,
                  signal,
                  {
                    activity: "head-object",
                    input: { object: { ...url, versionId }, credentials: profile, customerKey, requesterPays },
                  },
                  (job) => job.result({ signal }),
                )
              ).object;
        if (json) return console.log(jsonLine(facts));
        console.log(printable(url.key === "" ? `s3://${url.bucket}` : shown(url)));
        for (const [name, value] of Object.entries(facts)) {
          if (value === undefined || name === "bucket" || name === "key") continue;
          console.log(
            `  ${name.padEnd(18)}  ${printable(typeof value === "object" ? JSON.stringify(value) : String(value))}`,
          );
        }
      }),
    );
}
