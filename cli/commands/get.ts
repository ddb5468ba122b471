import { createWriteStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Command, InvalidArgumentError } from "commander";
import type { ByteRange } from "../../model/entities.ts";
import type { Environment } from "../environment.ts";
import { jsonLine, printable } from "../printable.ts";
import { runJob } from "../run-job.ts";
import { lastPart, objectUrl, type S3Url, shown } from "../s3-url.ts";
import { type Session, session } from "../session.ts";
import { sizeText } from "../size-text.ts";

type Options = {
  readonly range?: ByteRange;
  readonly versionId?: string;
  readonly ifMatch?: string;
  readonly json?: true;
  readonly profile?: string;
};

/** `bucketline get`: one object into a file or to standard output. */
export function getCommand(environment: Environment): Command {
  return new Command("get")
    .description("download an object, verified")
    .argument("<url>", "s3://bucket/key", objectUrl)
    .argument("[file]", "a file, a directory, or - for standard output; default: the last part of the key, here", ".")
    .option("--range <bytes>", "bytes from-to (both counted), from-, or -last", range)
    .option("--version-id <id>", "this version")
    .option("--if-match <etag>", "only this content")
    .option("--json", "what was read as JSON, on standard output (on standard error with -)")
    .option("--profile <name>", "the workers' profile to use")
    .addHelpText(
      "after",
      `
The file appears under its name when it is whole and verified; one that is there is replaced.

Examples:
  1. bucketline get s3://photos/2026/cat.jpg
  2. bucketline get s3://photos/2026/cat.jpg /tmp/pets/
  3. bucketline get s3://logs/today.gz - | gunzip | tail
  4. bucketline get s3://logs/today.gz --range 0-1023 head.bin`,
    )
    .action(async (url: S3Url, file: string, options: Options) =>
      session(environment, (open) => download(open, url, file, options)),
    );
}

async function download({ producer, signal }: Session, url: S3Url, file: string, options: Options): Promise<void> {
  const { versionId, range: bytes, ifMatch, profile, json } = options;
  const target = file === "-" ? undefined : await targetFile(url.key, file);
  const input = { object: { ...url, versionId }, range: bytes, ifMatch, credentials: profile };
  const { document, object } = await runJob(producer, signal, { activity: "get-object", input }, (job) =>
    job.result({ signal }),
  );
  const content = await producer.documents.read(document, { signal });
  if (target === undefined) await pipeline(content, process.stdout, { signal, end: false });
  else await writeWhole(content, target, signal);
  const told = json ? jsonLine(object) : printable(`${shown(url)} -> ${target ?? "-"} (${sizeText(document.size)})`);
  if (target === undefined) {
    if (json) console.error(told);
  } else console.log(told);
}

/** A reader never sees half a file: the name is given to it when it is whole. */
async function writeWhole(content: NodeJS.ReadableStream, target: string, signal: AbortSignal): Promise<void> {
  const part = `${target}.${process.pid}.part`;
  try {
    await pipeline(content, createWriteStream(part, { flags: "wx" }), { signal });
    await rename(part, target);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

async function targetFile(key: string, file: string): Promise<string> {
  const isDirectory =
    file.endsWith("/") ||
    (await stat(file).then(
      (found) => found.isDirectory(),
      () => false, // not there: a file to be made
    ));
  if (!isDirectory) return file;
  const name = lastPart(key).replace(/\/$/, "");
  if (name === "" || name === "." || name === ".." || name.includes("\0") || name.includes("\\"))
    throw new Error(`expected a file to write to: the key ${printable(key)} ends with no name for one`);
  return join(file, name);
}

function range(text: string): ByteRange {
  const [, start = "", end = ""] = /^(\d*)-(\d*)$/.exec(text) ?? [];
  if (start === "" && Number(end) > 0) return { last: Number(end) };
  if (start !== "" && end === "") return { start: Number(start) };
  if (start !== "" && Number(end) >= Number(start)) return { start: Number(start), end: Number(end) };
  throw new InvalidArgumentError("expected 0-499, 500- or -500");
}
