import { createReadStream } from "node:fs";
import { opendir, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import type { ActivityInput } from "../../jobs/contracts.ts";
import { contentTypeOf } from "./content-type.ts";
import { inParallel } from "./in-parallel.ts";
import { jsonLine, printable } from "../output/printable.ts";
import { runJob } from "../run-job.ts";
import { say } from "../output/say.ts";
import { tellError } from "../output/tell-error.ts";
import { type S3Url, shown } from "../s3-url.ts";
import type { Session } from "../session.ts";
import { count, sizeText } from "../output/size-text.ts";

/** Files that are uploaded at once. */
const AT_ONCE = 8;

type Put = ActivityInput<"put-object">;
type Options = Omit<Put, "bucket" | "key" | "document"> & { readonly json?: true | undefined };

/**
 * Uploads every file below a directory; keys are the prefix and the path with slashes. Symbolic links to files are followed, those to
 * directories are not: they could lead in a ring. Throws once all others are done where some failed.
 */
export async function putDirectory(open: Session, folder: string, target: S3Url, options: Options): Promise<void> {
  const prefix = target.key === "" || target.key.endsWith("/") ? target.key : `${target.key}/`;
  const done = { files: 0, bytes: 0, failed: 0 };
  await inParallel(files(folder), AT_ONCE, open.signal, async (path) => {
    const file = join(folder, path);
    const url = { bucket: target.bucket, key: prefix + path.split(sep).join("/") };
    try {
      const size = await putFile(open, file, url, options);
      done.files += 1;
      done.bytes += size;
      if (!options.json) say(printable(`${file} -> ${shown(url)} (${sizeText(size)})`));
    } catch (error) {
      open.signal.throwIfAborted();
      done.failed += 1;
      tellError(error, { json: options.json === true, about: file });
    }
  });
  if (!options.json) say(`${count(done.files)} files, ${sizeText(done.bytes)}, ${count(done.failed)} failed`);
  if (done.failed > 0) throw new Error(`${count(done.failed)} files were not uploaded; they are named above`);
}

/** Uploads one file as a job; its document is removed where the job did not take it. Returns the size in bytes. */
async function putFile({ producer, signal }: Session, file: string, url: S3Url, options: Options): Promise<number> {
  const { size } = await stat(file);
  const { json, contentType = contentTypeOf(file), ...more } = options;
  const document = await producer.documents.write(createReadStream(file), {
    name: url.key.slice(url.key.lastIndexOf("/") + 1),
    size,
    contentType,
    signal,
  });
  try {
    const input = { ...more, ...url, document, contentType };
    const { object } = await runJob(producer, signal, { activity: "put-object", input }, (job) =>
      job.result({ signal }),
    );
    if (json) console.log(jsonLine(object));
    return object.size;
  } catch (error) {
    await producer.documents.delete(document);
    throw error;
  }
}

/** Paths of files below a directory, in no order. */
async function* files(folder: string, below = ""): AsyncGenerator<string> {
  for await (const entry of await opendir(join(folder, below))) {
    const path = join(below, entry.name);
    if (entry.isDirectory()) yield* files(folder, path);
    else if (entry.isFile() || (entry.isSymbolicLink() && (await stat(join(folder, path))).isFile())) yield path;
  }
}
