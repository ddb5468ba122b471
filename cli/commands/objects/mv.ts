import type { Command } from "commander";
import type { Environment } from "../../environment.ts";
import { transferCommand } from "../../transfer.ts";

/** `bucketline mv`: one object, or all under a prefix. */
export function mvCommand(environment: Environment): Command {
  return transferCommand("move", environment, "mv")
    .description(
      "move an object, or all objects under a prefix or a pattern; a source is deleted only after its copy was verified",
    )
    .addHelpText(
      "after",
      `
What a prefix or a pattern is moved to takes the place of the prefix; for a pattern that is what ends with the last / before it.

Examples:
  1. bucketline mv s3://inbox/a.pdf s3://done/2026/
  2. bucketline mv s3://inbox/ s3://done/ --yes
  3. bucketline mv 's3://logs/2024/*' s3://cold/2024/ --max-rate 500 --detach
  4. bucketline mv s3://inbox/2026/ s3://done/2026/ --min-verify checksum --exclude '*.tmp'`,
    );
}
