import { mkdir, realpath } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import type { RequestOptions } from "../attribute-options.ts";
import { ActivityError } from "../../model/activity-error.ts";
import { inParallel } from "./in-parallel.ts";
import { listObjects } from "./list-pages.ts";
import { jsonLine, printable } from "../output/printable.ts";
import { runJob } from "../run-job.ts";
import { type S3Url, shown } from "../s3-url.ts";
import { say } from "../output/say.ts";
import { tellError } from "../output/tell-error.ts";
import type { Session } from "../session.ts";
import { count, sizeText } from "../output/size-text.ts";
import { writeWhole } from "./write-whole.ts";

/** Objects that are downloaded at once. */
const AT_ONCE = 8;

type Options = RequestOptions & { readonly profile?: string | undefined; readonly json?: true | undefined };

/**
 * Downloads every object under a prefix into a directory, under the rest of its key. A key that would lead out of the directory, or that
 * no file can be named after, is refused by name and the others go on. Markers of empty folders (`a/`) become directories.
 */
export async function getPrefix(open: Session, source: S3Url, folder: string, options: Options): Promise<void> {
  const done = { files: 0, folders: 0, bytes: 0, failed: 0 };
  const cut = source.key.lastIndexOf("/") + 1;
  await inParallel(listObjects(open, source, options), AT_ONCE, open.signal, async ({ bucket, key, size }) => {
    const url = { bucket, key };
    try {
      const path = safePath(key.slice(cut));
      await refuseWayOut(folder, path);
      if (key.endsWith("/")) {
        await mkdir(join(folder, path), { recursive: true });
        done.folders += 1;
        return;
      }
      const target = join(folder, path);
      await mkdir(dirname(target), { recursive: true });
      await getFile(open, url, target, options);
      done.files += 1;
      done.bytes += size;
      if (!options.json) say(printable(`${shown(url)} -> ${target} (${sizeText(size)})`));
    } catch (error) {
      open.signal.throwIfAborted();
      done.failed += 1;
      tellError(error, { json: options.json === true, about: shown(url) });
    }
  });
  if (done.files + done.failed + done.folders === 0)
    throw new ActivityError("NoSuchKey", `no object under ${shown(source)}`);
  if (!options.json) say(`${count(done.files)} objects, ${sizeText(done.bytes)}, ${count(done.failed)} failed`);
  if (done.failed > 0) throw new Error(`${count(done.failed)} objects were not downloaded; they are named above`);
}

async function getFile({ producer, signal }: Session, url: S3Url, target: string, options: Options) {
  const { profile, json, customerKey, requesterPays } = options;
  const input = { object: url, credentials: profile, customerKey, requesterPays };
  const { document, object } = await runJob(producer, signal, { activity: "get-object", input }, (job) =>
    job.result({ signal }),
  );
  await writeWhole(await producer.documents.read(document, { signal }), target, signal);
  if (json) console.log(jsonLine(object));
}

/** The rest of a key as a path below a directory. Throws where it would not stay there. */
function safePath(rest: string): string {
  const parts = rest.replace(/\/$/, "").split("/");
  const bad = parts.find((part) => part === "" || part === "." || part === ".." || /[\0\\]/.test(part));
  if (bad !== undefined)
    throw new Error(
      `expected a key that a file can be named after; ${JSON.stringify(bad)} cannot be a part of its path`,
    );
  return join(...parts);
}

/**
 * Throws where a symbolic link in the directory would lead a file out of it: whoever may write there could choose which file of the user's is
 * written over. The directory itself may be a link, and links may lead about within it.
 */
async function refuseWayOut(folder: string, path: string): Promise<void> {
  const root = await realpathOf(folder);
  if (root === undefined) return; // it is made for this download
  for (let at = dirname(path); at !== "."; at = dirname(at)) {
    const real = await realpathOf(join(folder, at));
    if (real === undefined) continue;
    if (real === root || real.startsWith(root.endsWith(sep) ? root : root + sep)) return;
    throw new Error(`expected a path that stays in ${folder}; ${join(folder, at)} is a link that leads to ${real}`);
  }
}

async function realpathOf(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
