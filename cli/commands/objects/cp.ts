import type { Command } from "commander";
import type { Environment } from "../../environment.ts";
import { transferCommand } from "../../transfer.ts";

/** `bucketline cp`: one object, or all under a prefix. */
export function cpCommand(environment: Environment): Command {
  return transferCommand("copy", environment, "cp")
    .description("copy an object, or all objects under a prefix or a pattern, verified")
    .addHelpText(
      "after",
      `
What a prefix or a pattern is copied to takes the place of the prefix; for a pattern that is what ends with the last / before it.

Examples:
  1. bucketline cp s3://photos/cat.jpg s3://archive/cats/cat-1.jpg
  2. bucketline cp s3://photos/2026/ s3://archive/photos/2026/ --on-conflict skip-identical
  3. bucketline cp 's3://logs/2026/**/*.gz' s3://cold/logs/ --storage-class GLACIER_IR --dry-run
  4. bucketline cp s3://photos/ s3://mirror/ --destination-profile other-store --detach`,
    );
}
