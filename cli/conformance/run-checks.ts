import { ActivityError } from "../../model/activity-error.ts";
import type { Capability } from "../../worker/inspect.ts";
import { batchChecks } from "./batch-checks.ts";
import { bucketChecks, lastChecks } from "./bucket-checks.ts";
import type { Check, Subject } from "./check.ts";
import { copyChecks, moveChecks } from "./copy-checks.ts";
import { deleteChecks } from "./delete-checks.ts";
import { listChecks } from "./list-checks.ts";
import { readChecks } from "./read-checks.ts";
import type { CheckResult } from "./report.ts";
import { writeChecks } from "./write-checks.ts";

/** In an order in which later ones find what earlier ones left. */
export const allChecks: readonly Check[] = [
  ...bucketChecks,
  ...writeChecks,
  ...readChecks,
  ...listChecks,
  ...copyChecks,
  ...moveChecks,
  ...batchChecks,
  ...deleteChecks,
  ...lastChecks,
];

/** Runs every check and tells each result as it comes; rejects only when the signal does. */
export async function runChecks(
  subject: Subject,
  capabilities: readonly Capability[],
  told: (result: CheckResult) => void,
): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  let answers = await isThere(subject);
  for (const check of allChecks) {
    const { activity, claim } = check;
    const result = answers
      ? await runCheck(check, subject, capabilities)
      : { activity, claim, verdict: "fails" as const, detail: "not tried: the store answers no more", ms: 0 };
    results.push(result);
    told(result);
    // Some stores end with what they cannot take; what was found out until then is told all the same.
    if (answers && result.verdict === "fails") answers = await isThere(subject);
  }
  return results;
}

/** Whether the store answers anything, a refusal too. */
async function isThere({ s3, bucket, signal }: Subject): Promise<boolean> {
  try {
    await s3.headBucket(bucket, { signal });
    return true;
  } catch (error) {
    signal.throwIfAborted();
    return !(error instanceof ActivityError) || error.code !== "NetworkError";
  }
}

async function runCheck(check: Check, subject: Subject, capabilities: readonly Capability[]): Promise<CheckResult> {
  const { activity, claim } = check;
  const startedAt = performance.now();
  const ended = (rest: Pick<CheckResult, "verdict" | "detail">): CheckResult => ({
    activity,
    claim,
    ...rest,
    ms: Math.round(performance.now() - startedAt),
  });
  const lacking = capabilities.find(({ name, found }) => name === check.needs && found !== "works");
  if (lacking !== undefined)
    return ended({ verdict: lacking.found === "refused" ? "refuses" : "lacks", detail: lacking.detail });
  try {
    const remark = await check.run(subject);
    return ended({ verdict: "works", ...(typeof remark === "string" && { detail: remark }) });
  } catch (error) {
    subject.signal.throwIfAborted();
    const detail = error instanceof Error ? error.message : String(error);
    // Of many keys, the first one's error is the cause.
    const typed = [error, error instanceof Error && error.cause].find((one) => one instanceof ActivityError);
    const refused = check.optional === true && typed instanceof ActivityError && !typed.retryable;
    return ended({ verdict: refused ? "refuses" : "fails", detail });
  }
}
