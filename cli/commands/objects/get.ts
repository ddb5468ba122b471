import { mkdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Command, InvalidArgumentError } from "commander";
import { addRequestOptions, type RequestOptions } from "../../attribute-options.ts";
import type { ByteRange } from "../../../model/entities.ts";
import type { Environment } from "../../environment.ts";
import { jsonLine, printable } from "../../output/printable.ts";
import { runJob } from "../../run-job.ts";
import { getPrefix } from "../../files/get-prefix.ts";
import { asFolder, lastPart, objectUrl, type S3Url, s3Url, shown } from "../../s3-url.ts";
import { showPassing } from "../../output/progress-line.ts";
import { say } from "../../output/say.ts";
import { type Session, session } from "../../session.ts";
import { EXIT } from "../../usage-exit.ts";
import { sizeText } from "../../output/size-text.ts";
import { writeWhole } from "../../files/write-whole.ts";

type Options = RequestOptions & {
  readonly recursive?: true;
  readonly range?: ByteRange;
  readonly versionId?: string;
  readonly ifMatch?: string;
  readonly json?: true;
  readonly profile?: string;
};

/** `bucketline get`: one object into a file or to standard output. */
export function getCommand(environment: Environment): Command {
  const plain = new Command("get")
    .description("download an object, verified")
    .argument("<url>", "s3://bucket/key; with --recursive s3://bucket/prefix/", s3Url)
    .argument("[file]", "a file, a directory, or - for standard output; default: the last part of the key, here", ".")
    .option("-r, --recursive", "all objects under the prefix, into a directory")
    .option("--range <bytes>", "bytes from-to (both counted), from-, or -last", range)
    .option("--version-id <id>", "this version")
    .option("--if-match <etag>", "only this content")
    .option("--json", "what was read as JSON, on standard output (on standard error with -)")
    .option("--profile <name>", "the workers' profile to use");
  const command = addRequestOptions(plain).addHelpText(
    "after",
    `
The file appears under its name when it is whole and verified; one that is there is replaced.

Examples:
  1. bucketline get s3://photos/2026/cat.jpg
  2. bucketline get s3://photos/2026/cat.jpg /tmp/pets/
  3. bucketline get s3://logs/today.gz - | gunzip | tail
  4. bucketline get s3://logs/today.gz --range 0-1023 head.bin
  5. bucketline get -r s3://photos/2026/ ./photos`,
  );
  return command.action(async (url: S3Url, file: string, options: Options) => {
    const { recursive, range: bytes, versionId, ifMatch } = options;
    if (recursive && (bytes ?? versionId ?? ifMatch) !== undefined)
      command.error("error: --recursive: expected no --range, --version-id or --if-match, which are of one object", {
        exitCode: EXIT.usage,
      });
    if (recursive && file === "-") command.error("error: --recursive: expected a directory", { exitCode: EXIT.usage });
    if (!recursive) refuseNoKey(command, url);
    await session(environment, (open) =>
      recursive ? getPrefix(open, asFolder(url), file, options) : download(open, url, file, options),
    );
  });
}

/** One object has a key; without one a prefix was meant. */
function refuseNoKey(command: Command, url: S3Url): void {
  try {
    objectUrl(shown(url));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    command.error(`error: ${why}; for all objects under a prefix use --recursive`, { exitCode: EXIT.usage });
  }
}

async function download({ producer, signal }: Session, url: S3Url, file: string, options: Options): Promise<void> {
  const { versionId, range: bytes, ifMatch, profile, json, customerKey, requesterPays } = options;
  const target = file === "-" ? undefined : await targetFile(url.key, file);
  const request = { credentials: profile, customerKey, requesterPays };
  const input = { object: { ...url, versionId }, range: bytes, ifMatch, ...request };
  const { document, object } = await runJob(
    producer,
    signal,
    { activity: "get-object", input, progress: true },
    (job) => job.result({ signal }),
  );
  const content = await producer.documents.read(document, { signal });
  if (target === undefined) await pipeline(content, process.stdout, { signal, end: false });
  else {
    await mkdir(dirname(target), { recursive: true });
    await writeWhole(content.compose(showPassing("writing ", document.size)), target, signal);
  }
  const told = json ? jsonLine(object) : printable(`${shown(url)} -> ${target ?? "-"} (${sizeText(document.size)})`);
  if (target === undefined) {
    if (json) console.error(told);
  } else if (json) console.log(told);
  else say(told);
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
