import { Command } from "commander";
import { addRequestOptions, type RequestOptions } from "../../attribute-options.ts";
import { ActivityError } from "../../../model/activity-error.ts";
import type { S3Object } from "../../../model/entities.ts";
import type { Environment } from "../../environment.ts";
import { jsonLine, printable } from "../../output/printable.ts";
import { askPage, FIRST_PAGE, later, listObjects, PAGE } from "../../files/list-pages.ts";
import { positiveInteger } from "../../option-values.ts";
import { runJob } from "../../run-job.ts";
import { type S3Url, s3Url, shown } from "../../s3-url.ts";
import { type Session, session } from "../../session.ts";
import { count } from "../../output/size-text.ts";

type Options = RequestOptions & {
  readonly recursive?: true;
  readonly limit?: number;
  readonly json?: true;
  readonly profile?: string;
};

/** The last code point that UTF-8 has: after a prefix and this comes what does not start with the prefix. */
const LAST = "\u{10FFFF}";

/** `bucketline ls`: buckets, one level of a bucket, or all below. */
export function lsCommand(environment: Environment): Command {
  const command = new Command("ls")
    .description("list buckets, or the prefixes and objects of a bucket")
    .argument("[url]", "s3://bucket or s3://bucket/prefix; without it: the buckets", s3Url)
    .option("-r, --recursive", "all objects below, not one level")
    .option("--limit <number>", "at most so many lines", positiveInteger)
    .option("--json", "a line of JSON for each bucket, prefix or object")
    .option("--profile <name>", "the workers' profile to use");
  return addRequestOptions(command, { key: false })
    .addHelpText(
      "after",
      `
Examples:
  1. bucketline ls
  2. bucketline ls s3://photos/2026/
  3. bucketline ls s3://photos --recursive --json | jq -r .key`,
    )
    .action(async (url: S3Url | undefined, options: Options) =>
      session(environment, async (open) => {
        if (url === undefined) await listBuckets(open, options);
        else if (options.recursive) await listAll(open, url, options);
        else await listLevel(open, url, options);
      }),
    );
}

async function listBuckets({ producer, signal }: Session, { json, profile, limit = Infinity }: Options): Promise<void> {
  const request = { activity: "list-buckets", input: { credentials: profile } } as const;
  await runJob(producer, signal, request, async (job) => {
    let left = limit;
    for await (const bucket of job.entities({ signal })) {
      left -= 1;
      if (left < 0) return;
      if (json) console.log(jsonLine(bucket));
      else console.log(`${(bucket.creationDate ?? "").slice(0, 19).padEnd(19)}  ${printable(bucket.name)}`);
    }
  });
}

async function listAll(open: Session, url: S3Url, options: Options): Promise<void> {
  let found = false;
  for await (const object of listObjects(open, url, options)) {
    found = true;
    print(object, "", options);
  }
  if (!found) refuseNothing(url);
}

/** A bucket may be empty; where a prefix was asked for, nothing below it is probably a slip. */
function refuseNothing(url: S3Url): void {
  if (url.key !== "") throw new ActivityError("NoSuchKey", `no object under ${shown(url)}`);
}

type Line = { readonly object: S3Object; readonly folder: string | undefined };

/** Lists page by page and jumps over what lies below the level, however many objects those are. */
async function listLevel(open: Session, { bucket, key: prefix }: S3Url, options: Options): Promise<void> {
  const ask = (startAfter: string | undefined, limit: number) =>
    askPage(open, {
      bucket,
      prefix,
      startAfter,
      limit,
      credentials: options.profile,
      requesterPays: options.requesterPays,
    });
  let page = ask(undefined, FIRST_PAGE);
  let below: string | undefined;
  let left = options.limit ?? Infinity;
  for (let first = true; ; first = false) {
    const { objects, full } = await page;
    if (first && objects.length === 0) return refuseNothing({ bucket, key: prefix });
    const lines: Line[] = [];
    for (const object of objects) {
      const slash = object.key.indexOf("/", prefix.length);
      const folder = slash === -1 ? undefined : object.key.slice(0, slash + 1);
      if (folder === undefined || folder !== below) lines.push({ object, folder });
      below = folder;
    }
    const last = objects.at(-1);
    const next = full && last !== undefined && lines.length < left ? last : undefined;
    // The next page comes while this one is printed.
    if (next !== undefined) page = later(ask(nextStart(next.key, below), PAGE));
    for (const { object, folder } of lines.slice(0, left)) {
      if (folder === undefined) print(object, prefix, options);
      else printPrefix(bucket, folder, prefix, options);
    }
    left -= lines.length;
    if (next === undefined) return;
  }
}

/** A key has at most 1,024 bytes; where the jump would be longer, the next page goes on after the last key. */
function nextStart(lastKey: string, below: string | undefined): string {
  const jump = below === undefined ? lastKey : `${below}${LAST}`;
  return Buffer.byteLength(jump) > 1024 ? lastKey : jump;
}

function print(object: S3Object, prefix: string, { json }: Options): void {
  if (json) return console.log(jsonLine(object));
  const { key, size, lastModified } = object;
  console.log(`${lastModified.slice(0, 19)}  ${count(size).padStart(17)}  ${printable(name(key, prefix))}`);
}

function printPrefix(bucket: string, folder: string, prefix: string, { json }: Options): void {
  if (json) return console.log(jsonLine({ bucket, prefix: folder }));
  console.log(`${"".padEnd(19)}  ${"PREFIX".padStart(17)}  ${printable(name(folder, prefix))}`);
}

/** Without what all of them have in front; the prefix itself may be an object too. */
function name(key: string, prefix: string): string {
  return key.slice(prefix.lastIndexOf("/") + 1) || key;
}
