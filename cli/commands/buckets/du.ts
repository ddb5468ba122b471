import { Command } from "commander";
import type { Environment } from "../../environment.ts";
import { listObjects } from "../../files/list-pages.ts";
import { jsonLine, printable } from "../../output/printable.ts";
import { type S3Url, s3Url, shown } from "../../s3-url.ts";
import { session } from "../../session.ts";
import { count, sizeText } from "../../output/size-text.ts";

type Options = { readonly byClass?: true; readonly json?: true; readonly profile?: string };
type Sum = { objects: number; bytes: number };

/** `bucketline du`: how many objects there are under a prefix, and how many bytes. */
export function duCommand(environment: Environment): Command {
  return new Command("du")
    .description("count the objects under a prefix and their bytes (current versions)")
    .argument("<url>", "s3://bucket or s3://bucket/prefix", s3Url)
    .option("--by-class", "a line for each storage class")
    .option("--json", "as JSON")
    .option("--profile <name>", "the workers' profile to use")
    .addHelpText(
      "after",
      `
Examples:
  1. bucketline du s3://photos/2026/
  2. bucketline du s3://photos --by-class --json`,
    )
    .action(async (url: S3Url, { byClass, json, profile }: Options) =>
      session(environment, async (open) => {
        const total: Sum = { objects: 0, bytes: 0 };
        const classes = new Map<string, Sum>();
        for await (const { size, storageClass = "STANDARD" } of listObjects(open, url, { profile })) {
          const sum = classes.get(storageClass) ?? { objects: 0, bytes: 0 };
          for (const one of [total, sum]) {
            one.objects += 1;
            one.bytes += size;
          }
          classes.set(storageClass, sum);
        }
        const rows = byClass ? [...classes].toSorted(([a], [b]) => (a < b ? -1 : 1)) : [];
        if (json)
          return console.log(
            jsonLine({
              ...url,
              ...total,
              ...(byClass && { classes: rows.map(([name, sum]) => ({ storageClass: name, ...sum })) }),
            }),
          );
        for (const [name, { objects, bytes }] of rows) console.log(line(name, objects, bytes));
        console.log(line(shown(url), total.objects, total.bytes));
      }),
    );
}

function line(name: string, objects: number, bytes: number): string {
  return `${count(objects).padStart(14)} objects  ${sizeText(bytes).padStart(10)}  ${printable(name)}`;
}
