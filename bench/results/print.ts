import { cpus, totalmem } from "node:os";
import { styleText } from "node:util";
import Table from "cli-table3";
import type { BenchResult } from "../benchmark.ts";
import { type Figure, verdictOf } from "./figure.ts";

export type NamedResult = BenchResult & {
  readonly name: string;
  readonly title: string;
  readonly seconds: number;
  readonly load: number;
};

/** What the figures were measured on. */
export function describeMachine() {
  const [cpu] = cpus();
  return {
    cpu: cpu?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
  };
}

export function machineLine(machine: ReturnType<typeof describeMachine>): string {
  const { cpu, cores, memoryGiB, node, date } = machine;
  return `${date}, ${cores} cores (${cpu}), ${memoryGiB} GiB, Node ${node}`;
}

/** As a Markdown table, ready to be pasted. */
export function markdownTable(results: readonly NamedResult[]): string {
  const rows = results.flatMap(({ figures }) => figures.map((figure) => `| ${cellsOf(figure).join(" | ")} |`));
  return [`| ${HEAD.join(" | ")} |`, `|${HEAD.map(() => "---").join("|")}|`, ...rows].join("\n");
}

const HEAD = ["what", "measured", "beside", "", "ratio", "bound", "verdict"];

export function printResult({ name, title, seconds, load, figures, notes }: NamedResult): void {
  console.log(`\n${styleText("bold", name)}: ${title} (${seconds.toFixed(0)} s, load before ${load.toFixed(1)})`);
  const table = new Table({ head: HEAD, style: { head: [], border: [], compact: true } });
  for (const figure of figures) {
    const cells = cellsOf(figure);
    const verdict = cells.pop() ?? "";
    table.push([...cells, verdict === "BELOW" ? styleText("red", verdict) : styleText("green", verdict)]);
  }
  console.log(table.toString());
  for (const note of notes) console.log(`  - ${note}`);
}

function cellsOf(figure: Figure): string[] {
  const { name, value, unit, beside, bound } = figure;
  const limit = bound === undefined ? "" : "atLeast" in bound ? `>= ${bound.atLeast}` : `<= ${bound.atMost}`;
  return [
    name,
    `${number(value)} ${unit}`,
    beside?.what ?? "",
    beside === undefined ? "" : `${number(beside.value)} ${unit}`,
    beside === undefined ? "" : number(beside.ratio),
    limit === "" ? "" : `${limit} ${bound?.on === "ratio" ? "x" : unit}`,
    verdictOf(figure),
  ];
}

/** Three digits that say something; whole numbers where they are large. */
function number(value: number): string {
  if (!Number.isFinite(value)) return "?";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}
