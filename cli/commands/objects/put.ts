import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { Command } from "commander";
import {
  addAttributeOptions,
  addRequestOptions,
  type AttributeOptions,
  attributesFrom,
  type RequestOptions,
} from "../../attribute-options.ts";
import type { Environment } from "../../environment.ts";
import { contentTypeOf } from "../../files/content-type.ts";
import { putDirectory } from "../../files/put-directory.ts";
import { showPassing } from "../../output/progress-line.ts";
import { say } from "../../output/say.ts";
import { jsonLine, printable } from "../../output/printable.ts";
import { runJob } from "../../run-job.ts";
import { type S3Url, s3Url, shown } from "../../s3-url.ts";
import { type Session, session } from "../../session.ts";
import { sizeText } from "../../output/size-text.ts";
import { EXIT } from "../../usage-exit.ts";

type Options = AttributeOptions &
  RequestOptions & {
    readonly recursive?: true;
    readonly ifNoneMatch?: true;
    readonly ifMatch?: string;
    readonly json?: true;
    readonly profile?: string;
  };

/** `bucketline put`: a file or standard input as one object. */
export function putCommand(environment: Environment): Command {
  const plain = new Command("put")
    .description("upload a file as an object, verified")
    .argument("<file>", "a file, or - for standard input; with --recursive a directory")
    .argument("<url>", "s3://bucket/key; a key that ends with / gets the file's name", s3Url)
    .option("-r, --recursive", "every file below the directory");
  const contentType = "default: what the file's name stands for, else application/octet-stream";
  const command = addRequestOptions(addAttributeOptions(plain, { contentType }))
    .option("--if-none-match", "only where no object has the key")
    .option("--if-match <etag>", "only over this content")
    .option("--json", "what was written as JSON")
    .option("--profile <name>", "the workers' profile to use")
    .addHelpText(
      "after",
      `
Examples:
  1. bucketline put cat.jpg s3://photos/2026/ --content-type image/jpeg
  2. pg_dump app | bucketline put - s3://backups/app.sql --if-none-match
  3. bucketline put report.csv s3://reports/latest.csv --metadata author=ann --tag team=sales
  4. bucketline put -r ./site s3://www.example.com/`,
    );
  return command.action(async (file: string, url: S3Url, options: Options) => {
    if (options.recursive) {
      if (file === "-" || options.ifMatch !== undefined)
        command.error("error: --recursive: expected a directory, and no --if-match, which is of one object", {
          exitCode: EXIT.usage,
        });
      const { json, profile, ifNoneMatch, customerKey, requesterPays } = options;
      const all = {
        ...attributesFrom(options),
        json,
        credentials: profile,
        customerKey,
        requesterPays,
        ...(ifNoneMatch && { ifNoneMatch: "*" as const }),
      };
      return session(environment, (open) => putDirectory(open, file, url, all));
    }
    const name = file === "-" ? "stdin" : basename(file);
    const key = url.key === "" || url.key.endsWith("/") ? url.key + name : url.key;
    if (file === "-" && key !== url.key)
      command.error("error: expected a key in the URL: standard input has no name", { exitCode: EXIT.usage });
    await session(environment, (open) => upload(open, file, { ...url, key }, options));
  });
}

async function upload({ producer, signal }: Session, file: string, target: S3Url, options: Options): Promise<void> {
  const { ifNoneMatch, ifMatch, profile, json, customerKey, requesterPays } = options;
  const contentType = options.contentType ?? (file === "-" ? undefined : contentTypeOf(file));
  const found = file === "-" ? undefined : await stat(file);
  if (found?.isDirectory()) throw new Error(`${file} is a directory; to upload all below it: --recursive`);
  const size = found?.size;
  const document = await producer.documents.write(
    file === "-" ? process.stdin : createReadStream(file).compose(showPassing("handing over ", size ?? 0)),
    {
      name: file === "-" ? "stdin" : basename(file),
      size,
      contentType,
      signal,
    },
  );
  const input = {
    ...target,
    document,
    credentials: profile,
    customerKey,
    requesterPays,
    ...attributesFrom(options),
    contentType,
    ...(ifNoneMatch && { ifNoneMatch: "*" as const }),
    ifMatch,
  };
  try {
    const { object } = await runJob(producer, signal, { activity: "put-object", input, progress: true }, (job) =>
      job.result({ signal }),
    );
    if (json) console.log(jsonLine(object));
    else say(printable(`${file} -> ${shown(target)} (${sizeText(object.size)})`));
  } catch (error) {
    // A job that failed or was cancelled leaves its input; nobody else knows of it.
    await producer.documents.delete(document);
    throw error;
  }
}
