import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { locationOf } from "../../documents/location.ts";
import type { WorkerConfig } from "./parse.ts";

const WRITE = 0o002;
/** In such a folder everybody may make files, and take away their own alone: `/tmp`. */
const STICKY = 0o1000;

type Read = Pick<WorkerConfig, "documentsUrl"> & {
  readonly profiles: Pick<WorkerConfig["profiles"], "file" | "sealing">;
};

/** Something of this worker's that everybody on this machine may change: itself, or by a folder above it. */
export type OpenToAll = { readonly variable: string; readonly path: string };

/**
 * What this worker trusts and everybody on this machine may change: whoever may write the profiles has its credentials used and programs run, and whoever
 * may write the folder of documents can take them away. None where all is as it should be, or where there are no such rights (Windows).
 */
export async function openToAll({ documentsUrl, profiles }: Read): Promise<readonly OpenToAll[]> {
  const documents = locationOf(documentsUrl);
  const trusted = [
    ["BUCKETLINE_PROFILES", profiles.file],
    ["BUCKETLINE_SEAL_KEYS_FILE", profiles.sealing?.keysFile],
    ["DOCUMENTS_URL", documents.scheme === "file" ? documents.folder : undefined],
  ] as const;
  const found = trusted.map(async ([variable, given]) => {
    const path = given === undefined || process.platform === "win32" ? undefined : await openPart(given);
    return path === undefined ? [] : [{ variable, path }];
  });
  return (await Promise.all(found)).flat();
}

/** The path itself, or the folder above it by which it could be exchanged. */
async function openPart(path: string): Promise<string | undefined> {
  if (await may(path, (mode) => (mode & WRITE) !== 0)) return path;
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (await may(folder, (mode) => (mode & WRITE) !== 0 && (mode & STICKY) === 0)) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

async function may(path: string, test: (mode: number) => boolean): Promise<boolean> {
  try {
    return test((await stat(path)).mode);
  } catch {
    return false; // it is not there (yet): whoever opens it says so
  }
}
