/** @import { Batch, BatchRequest } from "../../../answers.ts" */
import { printable } from "../printable.js";

/** In the order of a batch's life; a test compares them with the server's list. */
export const STATES = [
  "planned",
  "running",
  "pausing",
  "paused",
  "cancelling",
  "cancelled",
  "failing",
  "failed",
  "completed",
];

/** States after which nothing happens any more. */
export const ENDED = /** @type {readonly string[]} */ (["completed", "cancelled", "failed"]);

/** Objects that were tried, whatever came of it. What a cancel left over was not. @param {Batch} batch */
export const doneOf = (batch) => batch.succeeded + batch.failed + batch.skipped;

/**
 * How many objects it is about. One that completed found all there were; one that was stopped did not, so its whole is what it set out for.
 * @param {Batch} batch
 */
export function wholeOf(batch) {
  if (batch.state === "completed") return batch.listed;
  return Math.max(batch.total ?? 0, batch.listed);
}

/** Whether more objects may still be found. @param {Batch} batch */
export const isOpenEnded = (batch) => batch.total === undefined && !ENDED.includes(batch.state);

/**
 * How far it is, 0 to 100, never more than is true; undefined where a share would say nothing.
 * @param {Batch} batch
 */
export function shareOf(batch) {
  const whole = wholeOf(batch);
  if (whole === 0 || isOpenEnded(batch)) return undefined;
  return Math.min(100, Math.floor((100 * doneOf(batch)) / whole));
}

/**
 * Where a batch goes from and to, in words.
 * @param {{ operation: string, spec: BatchRequest }} batch
 */
export function describeBatch({ operation, spec }) {
  const { source, destination, label } = spec;
  const from = printable(sourceName(source));
  if (!destination) return { title: printable(label ?? `${verb(operation)} ${from}`), route: from };
  const onto = printable(`s3://${destination.bucket}/${destination.prefix ?? source.prefix ?? ""}`);
  const title = printable(label ?? `${verb(operation)} to ${destination.bucket}`);
  return { title, route: `${from} → ${onto}` };
}

/** @param {BatchRequest["source"]} source */
function sourceName(source) {
  if (source.prefix !== undefined) return `s3://${source.bucket ?? ""}/${source.prefix}`;
  if (source.items) return "named objects";
  return `manifest ${source.manifest?.name ?? ""}`;
}

/** @param {string} operation */
const verb = (operation) => operation.charAt(0).toUpperCase() + operation.slice(1);

/**
 * Why the table of errors is empty.
 * @param {Batch} batch
 */
export function withoutErrors(batch) {
  if (batch.failed > 0) return "later";
  if (batch.state === "failed") return "stopped";
  if (batch.state === "cancelled") return "cancelled";
  return batch.state === "completed" && doneOf(batch) + batch.filtered > 0 ? "clean" : "so-far";
}
