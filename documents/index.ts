/** Documents outside a producer: open the store that `DOCUMENTS_URL` names, and read and write NDJSON documents. */
export type { DocumentSource, DocumentStore, ReadOptions, WriteOptions } from "./interface.ts";
export { readNdjson, writeNdjson } from "./ndjson.ts";
export { openDocumentStore, type OpenDocumentStoreOptions } from "./open.ts";
