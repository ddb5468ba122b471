import { Command } from "commander";
import { addRequestOptions, type RequestOptions } from "../../attribute-options.ts";
import {
  addBatchOptions,
  addSourceOptions,
  type BatchOptions,
  batchSpec,
  refuseLostOptions,
} from "../../batches/options.ts";
import type { Environment } from "../../environment.ts";
import { jsonLine, printable } from "../../output/printable.ts";
import { runJob } from "../../run-job.ts";
import { type S3Url, s3Url, shown, sourceOf } from "../../s3-url.ts";
import { say } from "../../output/say.ts";
import { session } from "../../session.ts";
import { startBatch } from "../../batches/start.ts";
import { refuseWholeBucket } from "../../batches/whole-bucket.ts";

type Options = BatchOptions & RequestOptions & { readonly versionId?: string; readonly ifMatch?: string };

/** `bucketline rm`: one object, or all under a prefix. */
export function rmCommand(environment: Environment): Command {
  const command = addBatchOptions(
    addSourceOptions(
      addRequestOptions(
        new Command("rm")
          .description("delete an object, or all objects under a prefix or a pattern")
          .argument("<url>", "s3://bucket/key, s3://bucket/prefix/ or s3://bucket/pattern*", s3Url)
          .option("--version-id <id>", "this version of the object")
          .option("--if-match <etag>", "only this content of the object"),
        { key: false },
      ),
    ),
  ).addHelpText(
    "after",
    `
Examples:
  1. bucketline rm s3://photos/2026/cat.jpg
  2. bucketline rm s3://logs/2024/ --dry-run
  3. bucketline rm 's3://logs/2024/**/*.tmp'
  4. bucketline rm 's3://logs/what?.txt' --literal`,
  );
  return command.action(async (url: S3Url, options: Options) => {
    const source = sourceOf(url, options);
    refuseLostOptions(command, source, options);
    if (source.kind === "many") {
      refuseWholeBucket(command, source, options);
      const { bucket, prefix } = source;
      const spec = {
        ...batchSpec(options, source.include),
        operation: "delete" as const,
        source: { bucket, prefix },
        requesterPays: options.requesterPays,
      };
      return session(environment, (open) => startBatch(open, spec, options));
    }
    await session(environment, async ({ producer, signal }) => {
      const { versionId, ifMatch, profile, json, requesterPays } = options;
      const input = { object: { ...url, versionId }, ifMatch, credentials: profile, requesterPays };
      const deleted = await runJob(producer, signal, { activity: "delete-object", input }, (job) =>
        job.result({ signal }),
      );
      if (json) console.log(jsonLine(deleted));
      else say(printable(`deleted ${shown(url)}${deleted.deleteMarker ? " (hidden by a delete marker)" : ""}`));
    });
  });
}
