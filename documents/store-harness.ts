import { mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Sandbox, type SandboxOptions, startSandbox } from "../sandbox/index.ts";
import type { DocumentStore } from "./interface.ts";
import { type OpenDocumentStoreOptions, openDocumentStore } from "./open.ts";

/** A store under test, and what no caller of it could see or do. */
export type StoreHarness = {
  open(options?: Omit<OpenDocumentStoreOptions, "s3">): Promise<DocumentStore>;
  /** Everything that lies in the store, unfinished pieces too. */
  stored(): Promise<readonly string[]>;
  /** Changes the one stored document: `flip` a byte of its content, or `cut` its end off. */
  damage(how: "flip" | "cut"): Promise<void>;
  /** Leaves what a writer leaves that dies in mid write. */
  plantLeftover(): Promise<void>;
  /** Files that this process has open. */
  openFiles(): Promise<readonly string[]>;
  close(): Promise<void>;
};

export async function fileHarness(): Promise<StoreHarness & { readonly root: string }> {
  const root = await mkdtemp(join(tmpdir(), "bucketline-documents-"));
  const stored = async () => {
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  };
  return {
    root,
    open: (options) => openDocumentStore(pathToFileURL(root).href, options),
    stored,
    async damage(how) {
      const [path = ""] = await stored();
      const bytes = await readFile(path);
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      await writeFile(path, how === "flip" ? bytes : bytes.subarray(0, -1));
    },
    plantLeftover: () => writeFile(join(root, "tmp", `${"ab".repeat(16)}.tmp`), "half"),
    async openFiles() {
      const open = await Promise.all((await readdir("/proc/self/fd")).map(target));
      return open.filter((path) => path.startsWith(root));
    },
    close: () => rm(root, { recursive: true }),
  };
}

export async function s3Harness(options: SandboxOptions = {}): Promise<StoreHarness & { readonly sandbox: Sandbox }> {
  const sandbox = await startSandbox(options);
  const bucket = "documents";
  sandbox.createBucket(bucket);
  const opened: DocumentStore[] = [];
  const stored = () => [...sandbox.keys(bucket), ...sandbox.uploads(bucket).map(({ key }) => `unfinished ${key}`)];
  return {
    sandbox,
    async open(opening) {
      const store = await openDocumentStore(`s3://${bucket}/some/prefix`, {
        ...opening,
        s3: () => settingsOf(sandbox),
      });
      opened.push(store);
      return store;
    },
    stored: () => Promise.resolve(stored()),
    damage(how) {
      const key = stored().find((name) => name.includes("/content/")) ?? "";
      const bytes = Buffer.from(sandbox.bytes(bucket, key) ?? "");
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      sandbox.put(bucket, key, how === "flip" ? bytes : bytes.subarray(0, -1));
      return Promise.resolve();
    },
    plantLeftover() {
      sandbox.put(bucket, "some/prefix/content/dead-writer/s00112233445566aa", "whole, but without a record");
      return Promise.resolve();
    },
    openFiles: () => Promise.resolve([]),
    async close() {
      await Promise.all(opened.map((store) => store.close()));
      await sandbox.close();
    },
  };
}

/** How to reach a sandbox. */
export function settingsOf({ endpoint, region, credentials }: Sandbox) {
  return { endpoint, region, credentials: () => Promise.resolve(credentials) };
}

/** The descriptor of the listing itself is gone when it is asked for. */
async function target(descriptor: string): Promise<string> {
  try {
    return await readlink(`/proc/self/fd/${descriptor}`);
  } catch {
    return "";
  }
}

/** Bytes in buffers that somebody still holds. */
export function liveBytes(): number {
  setFlagsFromString("--expose-gc");
  // The flag just set is what puts `gc` there.
  const collectGarbage = runInNewContext("gc") as () => void;
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}
