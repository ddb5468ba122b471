import { BATCH_CODES } from "./error-codes/batches.ts";
import { DOCUMENT_CODES } from "./error-codes/documents.ts";
import type { ErrorCodeEntry } from "./error-codes/entry.ts";
import { JOB_CODES } from "./error-codes/jobs.ts";
import { SERVICE_CODES } from "./error-codes/service.ts";
import { STORE_CODES } from "./error-codes/store.ts";

export type { ErrorCodeEntry } from "./error-codes/entry.ts";

/** The codes in groups, as the documentation shows them. */
export const ERROR_GROUPS = {
  jobs: JOB_CODES,
  batches: BATCH_CODES,
  documents: DOCUMENT_CODES,
  service: SERVICE_CODES,
  store: STORE_CODES,
} as const;

/** Every code that Bucketline knows: what happened and what to do. docs/errors.md is made from it. */
export const ERROR_CODES = { ...JOB_CODES, ...BATCH_CODES, ...DOCUMENT_CODES, ...SERVICE_CODES, ...STORE_CODES };

/** A code of the catalogue. */
export type KnownCode = keyof typeof ERROR_CODES;

declare const storeCode: unique symbol;

/** A code that a store or an app sent and that the catalogue does not have: passed on as it is. */
export type ForeignCode = string & { readonly [storeCode]: true };

/** What {@link ActivityError} carries: a typo in a literal does not compile. */
export type ErrorCode = KnownCode | ForeignCode;

/** Takes a code that came from outside (a store's answer, Redis, HTTP). */
export function foreignCode(code: string): ErrorCode {
  return code as ForeignCode; // any text may be one: its origin is all that the type says
}

const ENTRIES = new Map<string, ErrorCodeEntry>(Object.entries(ERROR_CODES));

/** What the catalogue says of a code, or `undefined` where a store made it up. */
export function explainCode(code: string): ErrorCodeEntry | undefined {
  return ENTRIES.get(code);
}
