import type { ErrorCodeTable } from "./entry.ts";

/** Codes of document stores. */
export const DOCUMENT_CODES = {
  DocumentNotFound: {
    retryable: false,
    httpStatus: 404,
    meaning:
      "The store has no such document: it was read and deleted, it expired, or it is in another store than the one that was asked.",
    remedy: "Give producer and workers the same `DOCUMENTS_URL`; across machines use `s3://`.",
  },
  DocumentExpired: {
    retryable: false,
    httpStatus: 410,
    meaning: "The document's time is over.",
    remedy: "Read it sooner, or give it a longer `ttl`.",
  },
  DocumentCorrupt: {
    retryable: false,
    meaning: "The document's bytes are not those that were written: its size or SHA-256 differs.",
    remedy: "Get the object again; check the disk or bucket that holds documents.",
  },
  DocumentIncomplete: {
    retryable: false,
    httpStatus: 400,
    meaning: "The content ended before its announced size, or its source broke. Nothing was stored.",
    remedy: "Write it again from the start.",
  },
  DocumentMalformed: {
    retryable: false,
    meaning: "The document is not the NDJSON that was expected.",
    remedy: "Check that the pointer is the one of this result.",
  },
  DocumentTooLarge: {
    retryable: false,
    httpStatus: 413,
    meaning: "The document is larger than the store can hold.",
    remedy: "Split it.",
  },
  DocumentStoreFailed: {
    retryable: "depends",
    httpStatus: 503,
    meaning: "The disk or bucket that holds documents refused or failed.",
    remedy: "The message has the store's own words; `bucketline check` tries it.",
  },
  DiskFull: {
    retryable: true,
    httpStatus: 507,
    meaning: "No space is left where documents are kept. The unfinished document was removed.",
    remedy: "Make room, shorten documents' `ttl`, or use an `s3://` store.",
  },
} as const satisfies ErrorCodeTable;
