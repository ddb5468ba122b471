import { fileURLToPath } from "node:url";
import { ActivityError } from "../jobs/activity-error.ts";
import type { DocumentStore } from "./document-store.ts";
import { type FileStoreOptions, openFileStore } from "./file-store.ts";

export type OpenDocumentStoreOptions = FileStoreOptions;

/**
 * Opens the store that a URL (`DOCUMENTS_URL`) names: `file:///dir`.
 * Throws `InvalidConfiguration` for any other.
 */
export async function openDocumentStore(url: string, options: OpenDocumentStoreOptions = {}): Promise<DocumentStore> {
  if (/^file:\/\/\/[^?#]*$/.test(url)) return openFileStore(fileURLToPath(url), options);
  throw new ActivityError("InvalidConfiguration", "documents URL: expected file:///absolute/path");
}
