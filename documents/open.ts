import { fileURLToPath } from "node:url";
import { ActivityError } from "../model/activity-error.ts";
import { BucketName, ProfileName } from "../model/entities.ts";
import type { DocumentStore } from "./interface.ts";
import { openFileStore } from "./file/store.ts";
import type { OwnSettings } from "../s3/own/settings.ts";
import type { StoreLog } from "./store-log.ts";

/**
 * How the bucket of a store is reached, and who hears of its troubles.
 *
 * @example
 * import { openDocumentStore, type OpenDocumentStoreOptions } from "bucketline/documents";
 *
 * const options: OpenDocumentStoreOptions = { s3: () => ({ endpoint: "https://s3.example.com", region: "eu-central-1" }) };
 * const store = await openDocumentStore("s3://documents/jobs", options);
 * await store.close();
 */
export type OpenDocumentStoreOptions = {
  /**
   * How to reach the bucket of an `s3://` store with the profile that its URL names (`default` where it names none). A worker resolves it
   * among its profiles. Default: the AWS SDK's own environment and configuration files, with that name as their profile.
   */
  readonly s3?: ((profile: string) => OwnSettings | Promise<OwnSettings>) | undefined;
  /** Told what no caller can be told, such as a document that could not be removed after it was read. */
  readonly log?: StoreLog | undefined;
  /** The time in milliseconds since 1970; for tests. */
  readonly now?: (() => number) | undefined;
};

/** Safe in a key, a path and a URL alike, so that no listing needs decoding. */
const PREFIX = /^(?:[A-Za-z0-9!_.*'()-]+\/)*$/;

/**
 * Opens the store that a URL (`DOCUMENTS_URL`) names: `file:///dir`, or `s3://bucket/prefix?profile=name`. The AWS SDK is loaded only for the
 * latter. Throws `InvalidConfiguration` for any other URL, and whatever opening the store throws.
 *
 * @example
 * import { openDocumentStore } from "bucketline/documents";
 *
 * const store = await openDocumentStore("file:///var/lib/bucketline/documents");
 * console.log((await store.usage()).documents);
 * await store.close();
 */
export async function openDocumentStore(url: string, options: OpenDocumentStoreOptions = {}): Promise<DocumentStore> {
  const scheme = /^([a-z0-9]+):\/\//.exec(url)?.[1];
  if (scheme === "file") return openFileStore(folderOf(url), options);
  if (scheme === "s3") return openS3(url, options);
  throw invalid("expected file:///dir or s3://bucket/prefix?profile=name");
}

/** Three slashes: `file://dir` names a host, and `file:dir` silently means the root of the file system. */
function folderOf(url: string): string {
  if (!/^file:\/\/\/[^?#]+$/.test(url)) throw invalid("expected file:/// and an absolute path, without ? or #");
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw invalid("expected a path with well-formed percent signs", error);
  }
}

async function openS3(url: string, { s3, ...options }: OpenDocumentStoreOptions): Promise<DocumentStore> {
  const { bucket, prefix, profile } = parseS3Url(url);
  const settings = s3 === undefined ? {} : await s3(profile ?? "default");
  const { openS3Store } = await loadS3Store();
  return await openS3Store({ bucket, prefix, settings, profile, ...options });
}

/** The thin client comes without the AWS SDK: whoever keeps documents in S3 adds it. */
async function loadS3Store(): Promise<typeof import("./s3/store.ts")> {
  try {
    return await import("./s3/store.ts");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND")
      throw new ActivityError(
        "InvalidConfiguration",
        "a document store in S3 needs the package @aws-sdk/client-s3 beside @bucketline/client",
        { cause: error },
      );
    throw error;
  }
}

function parseS3Url(url: string): { readonly bucket: string; readonly prefix: string; readonly profile?: string } {
  // Errors never repeat the URL: somebody may have put a secret into it.
  const [, bucket = "", path = "", query = ""] = /^s3:\/\/([^/?#@:]*)(\/[^?#]*)?(?:\?([^#]*))?$/.exec(url) ?? [];
  if (!BucketName.safeParse(bucket).success) throw invalid("expected s3:// and the name of a bucket");
  const folder = path.replace(/^\//, "").replace(/([^/])$/, "$1/");
  if (!PREFIX.test(folder) || folder.split("/").some((part) => part === "." || part === ".."))
    throw invalid("expected a prefix of letters, digits and !_.*'()- between single slashes");
  const parameters = new URLSearchParams(query);
  const profile = parameters.get("profile") ?? undefined;
  if ([...parameters.keys()].some((name) => name !== "profile") || parameters.size > 1)
    throw invalid("expected no parameter but one profile");
  if (profile !== undefined && !ProfileName.safeParse(profile).success) throw invalid("expected a profile's name");
  return { bucket, prefix: folder, ...(profile !== undefined && { profile }) };
}

function invalid(expected: string, cause?: unknown): ActivityError {
  return new ActivityError("InvalidConfiguration", `the documents URL (DOCUMENTS_URL) is not valid: ${expected}`, {
    cause,
  });
}
