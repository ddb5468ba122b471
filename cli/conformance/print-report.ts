import { styleText } from "node:util";
import { printable } from "../output/printable.ts";
import type { CapabilityRow, CheckResult, Report, Verdict } from "./report.ts";

const STYLES: Readonly<Record<Verdict, Parameters<typeof styleText>[0]>> = {
  works: "green",
  "works around": "cyan",
  refuses: "yellow",
  lacks: "yellow",
  fails: ["bold", "red"],
};
const NAME = 36;
const VERDICT = 14;

/** The table for people. */
export function reportText({ endpoint, region, profile, activities, capabilities, passed, failed }: Report): string {
  const lines = [
    styleText("bold", row("activity", "", "checked")),
    ...activities.flatMap(({ name, verdict, checks }) => [
      row(name, verdict, countOf(checks)),
      ...checks.filter((check) => check.verdict !== "works").map((check) => detailOf(check)),
    ]),
    "",
    styleText("bold", row("the store's capability", "", "found")),
    ...capabilities.map(({ title, verdict, detail }: CapabilityRow) => row(title, verdict, printable(detail))),
    "",
    `A profile for ${endpoint} in ${region} should say: ${JSON.stringify(profile)}`,
    "",
    `${passed} passed, ${failed} failed`,
  ];
  return lines.join("\n");
}

function row(name: string, verdict: Verdict | "", rest: string): string {
  const shown = verdict.padEnd(VERDICT);
  return `${name.padEnd(NAME)}${verdict === "" ? shown : styleText(STYLES[verdict], shown)}${rest}`;
}

function countOf(checks: readonly CheckResult[]): string {
  const working = checks.filter(({ verdict }) => verdict === "works").length;
  const ms = checks.reduce((sum, check) => sum + check.ms, 0);
  return `${working} of ${checks.length} checks, ${(ms / 1000).toFixed(1)} s`;
}

function detailOf({ verdict, claim, detail = "" }: CheckResult): string {
  return `  ${"".padEnd(NAME - 2)}${styleText(STYLES[verdict], verdict)}: ${claim}${detail === "" ? "" : ` (${printable(detail)})`}`;
}
