import { randomUUID } from "node:crypto";
import type { Connection } from "../../credentials/connection.ts";
import { toActivityError } from "../error-mapping.ts";
import { type Finding, type Ground, type Probe, putSmall, refused } from "./answer.ts";
import { attributeProbes } from "./attributes.ts";
import { conditionProbes } from "./conditions.ts";
import { featureProbes } from "./features.ts";
import { quirkProbes } from "./quirks.ts";
import { removeScratch } from "./scratch-objects.ts";
import { createStore } from "../store.ts";

/** What stores differ in, and what is asked of them to find out. */
export const capabilityTitles = {
  signatures: "signatures checked",
  "conditional-copy": "conditional copy (CopyObject)",
  "conditional-part-copy": "conditional copy (UploadPartCopy)",
  "conditional-delete": "conditional delete (DeleteObject)",
  "conditional-bulk-delete": "conditional delete (DeleteObjects)",
  "conditional-write": "conditional write (PutObject)",
  "conditional-copy-write": "conditional write (CopyObject)",
  "conditional-multipart-write": "conditional write (multipart)",
  "part-copy": "UploadPartCopy",
  "checksums-checked": "checksums checked",
  "checksums-kept": "checksums kept",
  "trailing-checksums": "trailing checksums",
  tags: "tags",
  versions: "versions",
  "url-encoded-listing": "url-encoded listing",
  "storage-classes": "storage classes",
  encryption: "encryption (SSE-S3)",
  "content-type": "content type",
  "content-encoding": "content encoding",
  "content-disposition": "content disposition (UTF-8)",
  "content-language": "content language",
  "cache-control": "cache control",
  expires: "expires (no date)",
  "website-redirect": "website redirect",
  metadata: "metadata (UTF-8)",
  "tags-carried": "tags of copies",
  "bulk-delete": "bulk delete (DeleteObjects)",
  "head-etags": "ETags in HEAD",
  "etags-tell-content": "ETags that tell contents apart",
  "version-ids": "version ids in requests",
  ranges: "ranges",
  "prefix-listing": "listing by prefix",
  "names-by-case": "names by case",
  "names-by-slashes": "names by slashes",
  "names-by-unicode": "names by Unicode form",
  "key-length": "keys of 1,024 bytes",
  "metadata-size": "metadata of 2 KB",
} as const;

export type CapabilityName = keyof typeof capabilityTitles;

export type Capability = Finding & { readonly name: CapabilityName };

export type ProbeOptions = {
  /** Where objects of a few bytes are made and removed again. */
  readonly bucket: string;
  /** Before every key. Default: a unique one. */
  readonly prefix?: string;
  /** Without attributes, limits and other ways of a store's own: what a profile says can be told without. Default false. */
  readonly brief?: boolean;
  readonly signal: AbortSignal;
};

/**
 * Finds out by doing what a store supports and enforces: a wrong condition must be refused, not ignored. It believes no
 * documentation and no header. Needs to read, write, list and delete under the prefix, which it leaves empty, in a versioned
 * bucket too; the bucket's settings are only read. It sends less than 6 MiB.
 *
 * Throws where the bucket cannot be used at all: `NoSuchBucket`, `AccessDenied`, `NetworkError` ...
 */
export async function probeCapabilities(connection: Connection, options: ProbeOptions): Promise<readonly Capability[]> {
  const { bucket, prefix = `bucketline-probe-${randomUUID()}/`, brief = false, signal } = options;
  // No checksums but those that a probe asks for: a store may refuse the others.
  const store = createStore({ ...connection, checksums: "when-required" }, { fastPath: false });
  const ground: Ground = { store, bucket, prefix, call: { signal } };
  let lost: Finding | undefined;
  try {
    await putSmall(ground, "first");
    // From here on the bucket can be used: what ends the store is a probe's, as some end with a key that is too long.
    const probes: Readonly<Record<CapabilityName, Probe>> = {
      ...conditionProbes,
      ...featureProbes,
      ...attributeProbes,
      ...quirkProbes,
    };
    const found: Capability[] = [];
    // Object.keys of the titles are the names.
    for (const name of Object.keys(capabilityTitles) as readonly CapabilityName[]) {
      if (brief && (name in attributeProbes || name in quirkProbes)) continue;
      found.push({ name, ...(lost ?? (await findingOf(probes[name], ground))) });
      if (found.at(-1)?.detail === SILENT && lost === undefined && !(await answers(ground)))
        lost = { found: "refused", detail: "not tried: the store answers no more" };
    }
    return found;
  } finally {
    store.clients.close();
    // Also after an abort: what was made must go. Where the store itself is gone, what was found out is all that there is.
    const removed = removeScratch(connection, { bucket, prefix }, { signal: AbortSignal.timeout(60_000) });
    await (lost === undefined ? removed : removed.catch(() => undefined));
  }
}

const SILENT = "no answer";

/** Whether the store is there at all. */
async function answers(ground: Ground): Promise<boolean> {
  return await putSmall(ground, "still-there").then(
    () => true,
    () => {
      ground.call.signal.throwIfAborted();
      return false;
    },
  );
}

/** The settings of a profile with which copies, moves and deletes are safe on this store. */
export function profileFor(
  capabilities: readonly Capability[],
): Pick<Connection, "conditionalCopy" | "conditionalDelete" | "conditionalWrite" | "checksums"> {
  const works = (name: CapabilityName) => capabilities.some((one) => one.name === name && one.found === "works");
  return {
    conditionalCopy: works("conditional-copy") && works("conditional-part-copy"),
    conditionalDelete: works("conditional-delete") && works("conditional-bulk-delete"),
    conditionalWrite:
      works("conditional-write") && works("conditional-copy-write") && works("conditional-multipart-write"),
    checksums: works("trailing-checksums") ? "when-supported" : "when-required",
  };
}

/** What the bucket itself refuses is nobody's capability. */
const FATAL = new Set(["NoSuchBucket", "CredentialsUnavailable", "CertificateRejected"]);

async function findingOf(probe: Probe, ground: Ground): Promise<Finding> {
  try {
    return await probe(ground);
  } catch (thrown) {
    ground.call.signal.throwIfAborted();
    const error = toActivityError(thrown, { operation: "a probe", bucket: ground.bucket });
    if (FATAL.has(error.code)) throw error;
    if (error.code === "NetworkError" || error.code === "Timeout") return { found: "refused", detail: SILENT };
    return refused(error);
  }
}
