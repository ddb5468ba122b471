import { Command, Option } from "commander";
import type { Environment } from "../../environment.ts";
import { positiveInteger } from "../../option-values.ts";
import { jsonLine, printable } from "../../output/printable.ts";
import { runJob } from "../../run-job.ts";
import { objectUrl, type S3Url } from "../../s3-url.ts";
import { session } from "../../session.ts";

type Options = {
  readonly method: "get" | "put" | "delete";
  readonly expiresIn: number;
  readonly versionId?: string;
  readonly json?: true;
  readonly profile?: string;
};

/** `bucketline presign`: a URL with which anybody may read, write or delete one object for a while. */
export function presignCommand(environment: Environment): Command {
  return new Command("presign")
    .description("make a URL for one object that works without credentials for a while; treat it as a secret")
    .argument("<url>", "s3://bucket/key", objectUrl)
    .addOption(new Option("--method <method>", "what it allows").choices(["get", "put", "delete"]).default("get"))
    .option("--expires-in <seconds>", "1 to 604,800", positiveInteger, 900)
    .option("--version-id <id>", "this version of the object")
    .option("--json", "the URL and when it ends, as JSON")
    .option("--profile <name>", "the workers' profile to use")
    .addHelpText(
      "after",
      `
Examples:
  1. bucketline presign s3://photos/2026/cat.jpg
  2. curl -T cat.jpg "$(bucketline presign s3://photos/new.jpg --method put --expires-in 60)"`,
    )
    .action(async (url: S3Url, { method, expiresIn, versionId, json, profile }: Options) =>
      session(environment, async ({ producer, signal }) => {
        const input = { object: { ...url, versionId }, method, expiresIn, credentials: profile };
        const made = await runJob(producer, signal, { activity: "presign-object", input }, (job) =>
          job.result({ signal }),
        );
        console.log(json ? jsonLine(made) : printable(made.url));
      }),
    );
}
