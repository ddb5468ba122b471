/** @import { Act } from "../../answers.ts" */

/** Acts in words, by their name in the record. @type {Readonly<Record<string, string>>} */
const WORDS = {
  "job.add": "added the job",
  "job.cancel": "cancelled the job",
  "job.retry": "ran the job again",
  "batch.start": "started the batch",
  "batch.pause": "paused the batch",
  "batch.resume": "resumed the batch",
  "batch.cancel": "cancelled the batch",
  "batch.confirm": "confirmed the dry run",
  "batch.priority": "set the priority",
  "batch.rate": "set the rate",
  "batch.retry-failed": "started a batch over what failed",
  "queue.pause": "paused the queue",
  "queue.resume": "resumed the queue",
  "schedule.put": "made or changed the schedule",
  "schedule.pause": "paused the schedule",
  "schedule.resume": "resumed the schedule",
  "schedule.run": "asked for a run",
  "schedule.rule": "changed when it runs",
  "schedule.remove": "removed the schedule",
  "schedule.delete": "removed the schedule",
  "problem.acknowledge": "looks after the problem",
  "problem.mute": "muted the problem",
  "problem.reopen": "reopened the problem",
  "bulk.retry": "retried many",
  "bulk.cancel": "cancelled many",
  "bulk.forget": "forgot many",
  "quarantine.forget": "forgot what was in quarantine",
  "document.add": "added the document",
  "document.read": "read the document",
  "document.delete": "deleted the document",
  "profile.test": "tested the profile",
  "session.sign-in": "signed in",
  "session.sign-out": "signed out",
};

/** What was done, in words where there are some. @param {Pick<Act, "action" | "detail">} act */
export const wordsOf = ({ action, detail }) =>
  action === "batch.start" && detail?.startsWith("plan: ") ? "asked for a dry run" : (WORDS[action] ?? action);

/** Acts that a filter offers: the things. */
export const KINDS = ["job", "batch", "bulk", "schedule", "problem", "quarantine", "document", "queue", "session"];

/** Where the thing is that was acted on; undefined where it has no page. @param {Act["target"]} target */
export function placeOf(target) {
  if (!target || target.id === "") return undefined;
  const id = encodeURIComponent(target.id);
  if (target.kind === "job") return target.activity ? `/jobs/${target.activity}/${id}` : undefined;
  if (target.kind === "batch") return `/batches/${id}`;
  if (target.kind === "schedule") return `/schedules?id=${id}`;
  if (target.kind === "problem") return `/problems/${id}`;
  return target.kind === "queue" ? `/jobs/${id}` : undefined;
}

/** Why it was done, or what else is known of it; what was sent may repeat the reason. @param {Act} act */
export const moreOf = ({ reason, detail, failed }) =>
  [reason && `“${reason}”`, !(reason && detail?.includes(reason)) && detail, failed && `failed with ${failed}`]
    .filter(Boolean)
    .join(" · ");
