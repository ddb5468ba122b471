import { text } from "node:stream/consumers";
import type { DocumentStore } from "../../documents/interface.ts";
import { ActivityError } from "../../model/activity-error.ts";
import { chunkName, MAX_CHAINS } from "../state/keys.ts";
import type { BatchStore } from "../state/store.ts";
import type { ReportRow, RowStatus } from "./row.ts";
import { segmentId } from "./segment.ts";

/**
 * How it is read.
 *
 * @example
 * for await (const { key } of batch.report({ only: ["failed", "unattempted"] })) console.log(key);
 */
export type ReportOptions = {
  /** Only rows of these statuses. Default: all that the batch's `report` keeps. */
  readonly only?: RowStatus | readonly RowStatus[] | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** What is read of documents here. */
export type ReportDocuments = Pick<DocumentStore, "find" | "read">;

/**
 * The rows of a batch, a chunk at a time, in memory too. While the batch runs: those of the chunks that are done.
 *
 * @throws ActivityError `ReportIncomplete` where a segment is gone from the document store
 */
export async function* readReport(
  store: BatchStore,
  documents: ReportDocuments,
  { batch, only, signal }: ReportOptions & { readonly batch: string },
): AsyncGenerator<ReportRow> {
  const wanted = only === undefined ? undefined : new Set<RowStatus>(typeof only === "string" ? [only] : only);
  const { bitmap, retaken } = await store.segments(batch);
  for (const bit of setBits(bitmap)) {
    const chain = bit % MAX_CHAINS;
    const n = Math.floor(bit / MAX_CHAINS);
    const id = segmentId({ batch, chain, n }, Number(retaken[chunkName(chain, n)] ?? 1));
    const options = signal === undefined ? {} : { signal };
    const pointer = await documents.find(id, options);
    if (pointer === undefined)
      throw new ActivityError(
        "ReportIncomplete",
        `expected document ${id} of the report of batch ${batch}, it is gone`,
      );
    const lines = (await text(await documents.read(pointer, { ...options, keep: true }))).split("\n");
    for (const line of lines) {
      if (line === "") continue;
      const row = JSON.parse(line) as ReportRow; // only chunk-row writes them, and the document store verified the bytes
      if (wanted === undefined || wanted.has(row.status)) yield row;
    }
  }
}

/** Redis counts bits from the highest of the first byte. */
function* setBits(bitmap: Buffer): Generator<number> {
  for (const [at, byte] of bitmap.entries()) {
    if (byte === 0) continue;
    for (let bit = 0; bit < 8; bit++) if ((byte & (0x80 >> bit)) !== 0) yield at * 8 + bit;
  }
}

/** The columns of S3 Batch Operations' completion report. https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-job-status.html */
const COLUMNS = ["Bucket", "Key", "VersionId", "TaskStatus", "ErrorCode", "HTTPStatusCode", "ResultMessage"] as const;

/** Rows as lines of CSV; keys are URL-encoded, as in S3's own reports and manifests. */
export async function* csvLines(rows: AsyncIterable<ReportRow>, { header = true } = {}): AsyncGenerator<string> {
  if (header) yield `${COLUMNS.join(",")}\n`;
  for await (const { bucket, key, versionId, status, code, httpStatus, message } of rows) {
    const encoded = key.toWellFormed().split("/").map(encodeURIComponent).join("/").replace(/^-/, "%2D");
    const result = message ?? (status === "succeeded" ? "Successful" : "");
    const ok = httpStatus ?? (status === "succeeded" ? 200 : "");
    yield `${[bucket, encoded, versionId ?? "", status, code ?? "", ok, result].map(quoted).join(",")}\n`;
  }
}

/** Spreadsheets take what begins so for a formula. https://owasp.org/www-community/attacks/CSV_Injection */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

/** In quotes, and never a formula: keys, versions and messages are what others wrote. */
function quoted(given: string | number): string {
  const field = typeof given === "string" && FORMULA.test(given) ? `'${given}` : given;
  return `"${String(field).replaceAll('"', '""')}"`;
}
