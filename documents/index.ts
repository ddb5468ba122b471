// oxlint-disable-next-line import/no-unassigned-import -- it ends what an old Node could not run, and exports nothing
import "../model/require-node.ts";
/** Documents outside a producer: open the store that `DOCUMENTS_URL` names, and read and write NDJSON documents. */
export type { DocumentSource, DocumentStore, ReadOptions, WriteOptions } from "./interface.ts";
export type { OwnSettings as BucketSettings } from "../s3/own/settings.ts";
export { readNdjson, writeNdjson } from "./ndjson.ts";
export { openDocumentStore, type OpenDocumentStoreOptions } from "./open.ts";
