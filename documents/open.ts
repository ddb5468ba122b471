import { ActivityError } from "../model/activity-error.ts";
import type { DocumentStore } from "./interface.ts";
import { type Location, locationOf } from "./location.ts";
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
  const location = locationOf(url);
  return location.scheme === "file" ? openFileStore(location.folder, options) : openS3(location, options);
}

async function openS3(
  { bucket, prefix, profile }: Extract<Location, { scheme: "s3" }>,
  { s3, ...options }: OpenDocumentStoreOptions,
): Promise<DocumentStore> {
  const settings = s3 === undefined ? {} : await s3(profile ?? "default");
  const { openS3Store } = await loadS3Store();
  return await openS3Store({ bucket, prefix, settings, profile, ...options });
}

/** The thin client comes without the AWS SDK: whoever keeps documents in S3 adds it. */
async function loadS3Store(): Promise<typeof import("./s3/store.ts")> {
  try {
    return await import("./s3/store.ts");
  } catch (error) {
    if (error instanceof Error && "code" in error && /^(?:ERR_)?MODULE_NOT_FOUND$/.test(String(error.code)))
      throw new ActivityError(
        "InvalidConfiguration",
        "a document store in S3 needs the package @aws-sdk/client-s3 beside @bucketline/client",
        { cause: error },
      );
    throw error;
  }
}
