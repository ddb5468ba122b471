import type { ReportRow } from "../../../batches/report/row.ts";
import { isSameSecond } from "../../../model/one-object.ts";
import type { Generation } from "../generation.ts";
import { type Batch, batchName } from "../lanes/batch.ts";
import type { Scene } from "../scene.ts";
import type { Truth } from "./truth.ts";

/** A row of a batch's report, with what lies at its source when it is written down. */
type JudgedRow = {
  readonly batch: Batch;
  readonly row: ReportRow;
  /** The generation that was listed. */
  readonly pinned: number;
  readonly now: Generation | undefined;
  readonly truth: Truth;
  /** The delivery that writes it. */
  readonly by: string;
};

/** What is wrong with a row, if anything. */
type RowRule = (judged: JudgedRow) => string | undefined;

/** What no row may claim. */
const RULES: readonly RowRule[] = [leavesNoSource, hasCopied, hasDeletedNothingKept];

/** Compares each row of a report with what is there when it is written down. */
export function judgeRows(
  { store, truth, meet }: Scene,
  { batch, report, by }: { readonly batch: Batch; readonly report: string; readonly by: string },
): void {
  for (const line of report.split("\n")) {
    if (line === "") continue;
    const row = JSON.parse(line) as ReportRow;
    const { bucket, key, status, code = "" } = row;
    const judged = { batch, row, pinned: batch.pinned.get(key) ?? 0, now: store.current({ bucket, key }), truth, by };
    if (status === "succeeded") meet(`${batch.spec.operation} of a bucket done, rows`);
    for (const rule of RULES) {
      const problem = rule(judged);
      if (problem !== undefined)
        truth.complain(`${by}: the row of ${bucket}/${key} says ${status} ${code}, ${problem}`);
    }
    if (promisesToKeep(judged)) truth.saysKept(judged.pinned, batchName(batch));
  }
}

/** A move or a delete that succeeded leaves none of what was listed at its source. */
function leavesNoSource({ batch, row, pinned, now }: JudgedRow): string | undefined {
  if (row.status !== "succeeded" || batch.spec.operation === "copy" || now?.id !== pinned) return undefined;
  return "and the object is still there";
}

/** What a copy or a move succeeded with was at its destination. */
function hasCopied({ batch: { spec, manifest }, row, truth }: JudgedRow): string | undefined {
  if (row.status !== "succeeded" || spec.operation === "delete") return undefined;
  const to = { bucket: spec.destination?.bucket ?? "", key: row.key };
  const etag = manifest?.etags[manifest.keys.indexOf(row.key)] ?? "";
  return truth.etagsAt(to).has(etag) ? undefined : "and no copy ever came there";
}

/** Of what a row says is kept, this batch has deleted nothing. */
function hasDeletedNothingKept(judged: JudgedRow): string | undefined {
  const { batch, pinned, truth, by } = judged;
  if (!saysKept(judged)) return undefined;
  const isOurs = truth.deletedBy(pinned)?.startsWith(batchName(batch)) === true;
  if (!isOurs || truth.deletedMeanwhile(pinned, by) || isTwin(judged)) return undefined;
  return "and this batch has deleted it";
}

const saysKept = ({ row }: JudgedRow): boolean => row.status === "unattempted" || /\bkept\b/.test(row.message ?? "");

/** Whether the batch may not delete it later either. Of one that goes on, another delivery may still do it. */
function promisesToKeep(judged: JudgedRow): boolean {
  return saysKept(judged) && judged.now?.id === judged.pinned && judged.batch.state !== "running";
}

/** The same bytes of the same second, written since: no look tells them from the pinned object. */
function isTwin({ batch: { manifest }, row, now }: JudgedRow): boolean {
  const at = manifest?.keys.indexOf(row.key) ?? -1;
  const modified = manifest?.modified[at] ?? "";
  if (now === undefined || modified === "" || manifest?.etags[at] !== now.etag) return false;
  return isSameSecond(new Date(now.modified).toISOString(), modified);
}
