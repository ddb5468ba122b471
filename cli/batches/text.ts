import { styleText } from "node:util";
import type { BatchProgress } from "../../batches/report/progress.ts";
import type { BatchStatus } from "../../batches/state/status.ts";
import { printable } from "../output/printable.ts";
import { count, durationText, sizeText } from "../output/size-text.ts";

const BAR = 14;

/** `[#######-------]  50.0%  1,234/2,468 objects  2 failed  1,200/s  35.2 MB/s  ETA 3 s`: the later, the sooner cut off by a narrow terminal. */
export function progressLine(progress: BatchProgress): string {
  const { state, total, listed, objectsPerSecond, bytesPerSecond, etaSeconds, failed, trouble } = progress;
  const done = ended(progress);
  const rates = [`${count(Math.round(objectsPerSecond))}/s`, `${sizeText(Math.round(bytesPerSecond))}/s`];
  return [
    total === undefined ? `[${"·".repeat(BAR)}]` : bar(total === 0 ? 1 : done / total),
    total === undefined ? `${count(done)} of ${count(listed)} listed so far` : `${count(done)}/${count(total)} objects`,
    ...(failed > 0 ? [`${count(failed)} failed`] : []),
    ...rates,
    ...(etaSeconds === undefined ? [] : [`ETA ${durationText(etaSeconds)}`]),
    ...(state === "running" ? [] : [state]),
    ...(trouble === undefined ? [] : [`held up by ${printable(trouble.message)}`]),
  ].join("  ");
}

function bar(share: number): string {
  const full = Math.floor(Math.min(1, share) * BAR);
  const percent = `${(Math.min(1, share) * 100).toFixed(1)}%`;
  return `[${"#".repeat(full)}${"-".repeat(BAR - full)}] ${percent.padStart(6)}`;
}

function ended({ succeeded, failed, skipped, unattempted }: BatchStatus): number {
  return succeeded + failed + skipped + unattempted;
}

/** What became of a batch, and what can be done next. */
export function summary(status: BatchStatus): string {
  if (status.state === "planned") return planText(status);
  const { id, state, operation, succeeded, failed, skipped, unattempted, bytes, errors, error, note, filtered } =
    status;
  const lines = [
    `${styleText(failed > 0 || state !== "completed" ? "yellow" : "green", state)}: ${operation} of ${count(succeeded)} objects (${sizeText(bytes)})${seconds(status)}`,
    ...(skipped > 0 ? [`  ${count(skipped)} skipped`] : []),
    ...(filtered > 0 ? [`  ${count(filtered)} did not match`] : []),
    ...(unattempted > 0 ? [`  ${count(unattempted)} not attempted`] : []),
    ...Object.entries(errors).map(([code, times]) => `  ${count(times)} failed with ${printable(code)}`),
    ...(note === undefined ? [] : [`  ${printable(note)}`]),
    ...(error === undefined ? [] : [`  ${printable(error.message)}`]),
  ];
  if (failed > 0)
    lines.push(`  which:  bucketline batch report ${id} --only failed`, `  again:  bucketline batch retry ${id}`);
  return lines.join("\n");
}

function seconds({ startedAt, endedAt, succeeded }: BatchStatus): string {
  if (startedAt === undefined || endedAt === undefined) return "";
  const took = (Date.parse(endedAt) - Date.parse(startedAt)) / 1000;
  return ` in ${durationText(took)}${took >= 1 ? `, ${count(Math.round(succeeded / took))}/s` : ""}`;
}

function planText({ id, operation, plan }: BatchStatus): string {
  if (plan === undefined) return "planned";
  const { objects, bytes, collisions, over5GiB, archived, refused, requests, expiresAt } = plan;
  return [
    `would ${operation} ${count(objects)} objects (${sizeText(bytes)}) with about ${count(requests)} requests`,
    `  ${count(collisions)} destinations exist already, ${count(over5GiB)} objects are above 5 GiB, ${count(archived)} are archived, ${count(refused)} cannot be worked on`,
    `  start exactly this, until ${expiresAt}:  bucketline batch confirm ${id}`,
  ].join("\n");
}

/** One line of a list of batches. */
export function batchLine(status: BatchStatus): string {
  const { id, state, operation, succeeded, failed, listed, bytes, createdAt, spec } = status;
  const what = `${count(succeeded)} of ${count(listed)} objects, ${sizeText(bytes)}${failed > 0 ? `, ${count(failed)} failed` : ""}`;
  const label = spec.label === undefined ? "" : `  ${printable(spec.label)}`;
  return `${id}  ${createdAt.slice(0, 19)}  ${state.padEnd(10)}  ${operation.padEnd(6)}  ${what}${label}`;
}
