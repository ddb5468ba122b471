import type { DocumentStore } from "../../documents/interface.ts";
import { ActivityError } from "../../model/activity-error.ts";
import { verbOf } from "../operations.ts";
import type { Verb } from "../operations/verb.ts";
import type { BatchSpecInput } from "../spec/request.ts";
import type { BatchStatus } from "../state/status.ts";
import type { ReportRow } from "./row.ts";

/**
 * The request for a batch over the given rows of another: a manifest document with each object's own destination, so that it does
 * not matter how the first batch came to it. A copy or move takes the object as it is now; a delete keeps to what was meant.
 *
 * @throws ActivityError `NothingToRetry`
 */
export async function retrySource(
  { id, spec }: BatchStatus,
  rows: AsyncIterable<ReportRow>,
  documents: Pick<DocumentStore, "write">,
): Promise<BatchSpecInput> {
  const iterator = retryable(rows)[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true)
    throw new ActivityError("NothingToRetry", `batch ${id} has no failed objects that could be tried again`);
  const manifest = await documents.write(lines(first.value, iterator, verbOf(spec)), {
    name: `failed objects of batch ${id}.ndjson`,
    contentType: "application/x-ndjson",
    ttl: spec.retention,
    deleteAfterDownload: false,
  });
  const { destination } = spec;
  return {
    ...spec,
    filter: undefined,
    maxObjects: undefined,
    maxBytes: undefined,
    dryRun: false,
    source: { manifest, format: "ndjson" },
    ...(destination !== undefined && {
      destination: {
        bucket: destination.bucket,
        ...(destination.credentials !== undefined && { credentials: destination.credentials }),
      },
    }),
  };
}

/**
 * What would fail again, or worse, would not: a manifest does not know the prefix that a copy would have landed in, nor the objects that
 * went first to a destination, so the retry would destroy what the first batch spared.
 */
const HOPELESS: ReadonlySet<string> = new Set([
  "BatchOverlap",
  "DestinationTaken",
  "SameObject",
  "InvalidManifestLine",
]);

/** A line of a manifest that could not be read names nothing. */
async function* retryable(rows: AsyncIterable<ReportRow>): AsyncGenerator<ReportRow> {
  for await (const row of rows) if (row.key !== "" && row.bucket !== "" && !HOPELESS.has(row.code ?? "")) yield row;
}

async function* lines(first: ReportRow, rest: AsyncIterator<ReportRow>, verb: Verb): AsyncGenerator<string> {
  for (let row: ReportRow | undefined = first; row !== undefined;) {
    const { bucket, key, versionId, destinationKey } = row;
    const to = destinationKey === undefined || destinationKey === "" ? {} : { destinationKey };
    yield `${JSON.stringify({ bucket, key, ...(versionId !== undefined && { versionId }), ...to, ...verb.retry(row) })}\n`;
    const next: IteratorResult<ReportRow> = await rest.next();
    row = next.done === true ? undefined : next.value;
  }
}
