import type { Capability, CapabilityName } from "../../worker/inspect.ts";
import { AROUND } from "./around.ts";
import type { Check, Checked } from "./check.ts";

/**
 * `works`: as on AWS. `works around`: the store lacks it, the result is right anyhow. `refuses`: a typed error, nothing was done.
 * `lacks`: the store does not have it, and no activity needs it. `fails`: a wrong result.
 */
export type Verdict = "works" | "works around" | "refuses" | "lacks" | "fails";

export type CheckResult = {
  readonly activity: Checked;
  readonly claim: string;
  readonly verdict: "works" | "refuses" | "lacks" | "fails";
  /** Why it does not work. */
  readonly detail?: string;
  readonly ms: number;
};

export type CapabilityRow = {
  readonly name: CapabilityName;
  readonly title: string;
  readonly verdict: Verdict;
  readonly detail: string;
};

export type ActivityRow = {
  readonly name: Checked;
  readonly verdict: Verdict;
  readonly checks: readonly CheckResult[];
};

export type Report = {
  readonly endpoint: string;
  readonly region: string;
  /** The settings that a profile for this store should have. */
  readonly profile: Readonly<Record<string, unknown>>;
  readonly activities: readonly ActivityRow[];
  readonly capabilities: readonly CapabilityRow[];
  readonly passed: number;
  readonly failed: number;
};

/** A row for each capability: what the store does, or else what we do instead, if the checks say that it holds. */
export function capabilityRow(
  { name, found, detail }: Capability,
  title: string,
  { checks, results }: { readonly checks: readonly Check[]; readonly results: readonly CheckResult[] },
): CapabilityRow {
  if (found === "works") return { name, title, verdict: "works", detail };
  const proofs = results.filter((_, index) => checks[index]?.proves?.includes(name));
  const failed = proofs.find(({ verdict }) => verdict === "fails");
  if (failed !== undefined) return { name, title, verdict: "fails", detail: `${detail}; ${failed.detail ?? ""}` };
  const around = AROUND[name];
  if (around !== undefined && proofs.some(({ verdict }) => verdict === "works"))
    return { name, title, verdict: "works around", detail: `${detail}: ${around}` };
  return { name, title, verdict: found === "refused" ? "refuses" : "lacks", detail };
}

/** An activity is as good as its worst check that nothing excuses: an optional one that is refused leaves it working. */
export function activityRow(name: Checked, results: readonly CheckResult[]): ActivityRow {
  const checks = results.filter(({ activity }) => activity === name);
  const fails = checks.length === 0 || checks.some(({ verdict }) => verdict === "fails");
  return { name, verdict: fails ? "fails" : "works", checks };
}
