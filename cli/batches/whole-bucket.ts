import type { Command } from "commander";

/** An empty prefix is often a variable that was not set: a whole bucket has to be meant. */
export function refuseWholeBucket(
  command: Command,
  { bucket, prefix, include }: { readonly bucket: string; readonly prefix: string; readonly include?: string },
  { yes, dryRun }: { readonly yes?: true; readonly dryRun?: true },
): void {
  const everything = include === undefined || /^[*/]+$/.test(include);
  if (prefix !== "" || !everything || yes || dryRun) return;
  command.error(`error: that is all of s3://${bucket}: expected --yes, or --dry-run to see what it would do`, {
    exitCode: 2,
  });
}
