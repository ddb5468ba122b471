import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";

/**
 * Writes a file that no reader ever sees half: the name is given to it when it is whole, and one that is there is replaced only then. The
 * temporary name is short, because the file's own may already be as long as the file system allows.
 */
export async function writeWhole(content: NodeJS.ReadableStream, target: string, signal: AbortSignal): Promise<void> {
  const part = join(dirname(target), `.${randomBytes(6).toString("hex")}.part`);
  try {
    await pipeline(content, createWriteStream(part, { flags: "wx" }), { signal });
    await rename(part, target);
  } catch (error) {
    await rm(part, { force: true });
    // The name that was asked for says more than the temporary one.
    if (error instanceof Error && "path" in error && error.path === part) error.path = target;
    throw error;
  }
}
