import { openOwnBucket } from "../../s3/own/bucket.ts";
import type { OwnSettings } from "../../s3/own/settings.ts";
import { checkDocumentId } from "../draft.ts";
import type { DocumentStore } from "../interface.ts";
import { silentLog, type StoreLog } from "../store-log.ts";
import { s3StoreError } from "./error.ts";
import { deleteExact, findDocument, readDocument } from "./read.ts";
import { deleteDocument } from "./records.ts";
import type { S3Room } from "./room.ts";
import { listDocuments, measure, sweep } from "./sweep.ts";
import { writeDocument } from "./write.ts";

export type S3StoreOptions = {
  readonly bucket: string;
  /** Empty, or ends with a slash. */
  readonly prefix: string;
  readonly settings: OwnSettings;
  /** The profile of the AWS configuration files, where the settings have no credentials. */
  readonly profile?: string | undefined;
  readonly log?: StoreLog | undefined;
  /** Milliseconds since 1970; for tests. */
  readonly now?: (() => number) | undefined;
};

/** Documents in a bucket, for apps and workers on different machines. Opening sends nothing. */
export async function openS3Store(options: S3StoreOptions): Promise<DocumentStore> {
  const { bucket: name, settings, profile, prefix, log = silentLog, now = Date.now } = options;
  const location = `s3://${name}/${prefix}`;
  const failure = (error: unknown, doing: string) => s3StoreError(error, location, doing);
  const bucket = await openOwnBucket({ bucket: name, settings, profile, failure });
  const room: S3Room = { bucket, prefix, location, log, now };
  return {
    location,
    write: (source, write) => writeDocument(room, source, write),
    read: (pointer, read) => readDocument(room, pointer, read),
    find: (id, call = {}) => findDocument(room, id, call),
    async delete(id, { signal } = {}) {
      checkDocumentId(id);
      await deleteDocument(room, id, signal);
    },
    deleteExact: (pointer, call = {}) => deleteExact(room, pointer, call),
    sweep: (call = {}) => sweep(room, call),
    list: (call = {}) => listDocuments(room, call),
    usage: (call = {}) => measure(room, call),
    close: async () => bucket.close(),
  };
}
