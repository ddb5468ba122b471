import { succeededBytes, takeProgress, thresholdOf } from "./checkpoint.ts";
import { verbOf } from "../operations.ts";
import { settleUncertain } from "./uncertain.ts";
import { COPIED, FAILED, OPEN, SKIPPED, SUCCEEDED, UNATTEMPTED } from "./outcomes.ts";
import { createRowWriter, isFailure } from "../report/chunk-row.ts";
import { type ChunkWork, destinationKeyAt, Superseded } from "./work.ts";
import { documentTtl, segmentId } from "../report/segment.ts";

/** Rows of failures that a batch keeps at hand. */
const RECENT = 100;

/** A batch that was cancelled, or failed as a whole: says of every object without an outcome what is true. */
export async function giveUp(work: ChunkWork, why: "cancel" | "fail"): Promise<void> {
  const { outcomes, started, spec, manifest } = work;
  const { cutOff, leftover, uncertain, abandon } = work.operation.settle;
  const delivered = deliveryNumber(work) > 1;
  await settleUncertain(work, delivered ? uncertain(work) : []);
  await abandon?.(work);
  const word = why === "cancel" ? "cancelled" : "given up";
  const left = delivered && leftover !== undefined;
  const before = left ? `before; a worker that had it earlier may have left ${leftover}` : "before";
  for (let index = 0; index < manifest.keys.length; index++) {
    const status = outcomes.status[index];
    if (status === COPIED)
      outcomes.failed(index, {
        code: "Cancelled",
        message: `Cancelled: copied, then ${word} before the source was deleted; both are kept`,
      });
    else if (status === OPEN && started[index] === 1)
      outcomes.failed(index, {
        code: "Cancelled",
        message: `Cancelled: the ${spec.operation} was cut off when the batch was ${word}; ${cutOff}`,
      });
    else if (status === OPEN)
      outcomes.unattempted(index, { code: "Unattempted", message: `Unattempted: the batch was ${word} ${before}` });
  }
}

/**
 * The end of a chunk: its report goes to the document store, then one script counts it. Between the two a crash leaves a document that
 * nobody counts; the next delivery writes one of its own.
 *
 * @throws Superseded where another delivery has the chunk
 */
export async function finishChunk(work: ChunkWork): Promise<void> {
  const { outcomes, chunks, delivery, manifest } = work;
  const { errors, recent, segment } = await writeReport(work);
  const bytes = succeededBytes(work);
  const unattempted = outcomes.count(UNATTEMPTED);
  const [succeeded, failed, skipped] = [outcomes.count(SUCCEEDED), outcomes.count(FAILED), outcomes.count(SKIPPED)];
  if (succeeded + failed + skipped + unattempted !== manifest.keys.length)
    throw new TypeError(`expected an outcome for each of ${manifest.keys.length} objects`);
  const state = await chunks.finish(delivery, {
    succeeded,
    failed,
    skipped,
    unattempted,
    bytes,
    segment,
    errors,
    recent,
    progress: takeProgress(work),
    threshold: thresholdOf(work),
  });
  if (state !== "superseded") {
    work.onChunk?.({ operation: work.spec.operation, succeeded, failed, skipped, unattempted, bytes });
    return;
  }
  if (segment && !(await chunks.sharesNumber(delivery)))
    await work.documents.delete(segmentId(delivery.ref, deliveryNumber(work)), { signal: work.ending });
  throw new Superseded();
}

function deliveryNumber({ delivery }: ChunkWork): number {
  return Number(delivery.owner.split(".")[1] ?? 1);
}

async function writeReport(work: ChunkWork) {
  const { outcomes, spec, manifest, documents, delivery, source, ending } = work;
  const rowLine = createRowWriter({
    manifest,
    outcomes,
    destinationBucket: spec.destination?.bucket,
    destinationKeyAt: (index) => destinationKeyAt(work, index),
    bestEffort: verbOf(spec).source.ends === "deleted" && !source.connection.conditionalDelete,
  });
  const errors = new Map<string, number>();
  const recent: string[] = [];
  let report = "";
  for (let index = 0; index < manifest.keys.length; index++) {
    const status = outcomes.status[index] ?? OPEN;
    const failure = isFailure(status);
    if (spec.report === "failures" && !failure) continue;
    const line = rowLine(index);
    report += line;
    if (status !== FAILED) continue;
    const code = outcomes.remarks.get(index)?.code ?? "UnknownError";
    errors.set(code, (errors.get(code) ?? 0) + 1);
    if (recent.length < RECENT) recent.push(line.trimEnd());
  }
  if (report === "") return { errors, recent, segment: false };
  await documents.write(report, {
    id: segmentId(delivery.ref, deliveryNumber(work)),
    name: `report of batch ${work.batch}, chunk ${delivery.ref.chain}-${delivery.ref.n}.ndjson`,
    contentType: "application/x-ndjson",
    ttl: documentTtl(spec),
    deleteAfterDownload: false,
    signal: ending,
  });
  return { errors, recent, segment: true };
}
