/** `npm run bench`: measures Bucketline beside what one would use without it, on this machine, and prints the figures. */
import { loadavg } from "node:os";
import { Argument, Command } from "commander";
import type { Benchmark } from "./benchmark.ts";
import { benchmarks } from "./benchmarks.ts";
import { verdictOf } from "./results/figure.ts";
import { describeMachine, machineLine, markdownTable, type NamedResult, printResult } from "./results/print.ts";

type Options = {
  readonly quick?: boolean;
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly check?: boolean;
  readonly profile?: string;
  readonly built?: boolean;
};

const listed = benchmarks.map(
  ({ name, title, onDemand }) => `  ${name.padEnd(16)} ${title}${onDemand ? " (only when named)" : ""}`,
);

await new Command("bench")
  .description("measure Bucketline beside what one would use without it")
  .addArgument(new Argument("[name...]", "which benchmarks").choices(benchmarks.map(({ name }) => name)))
  .option("--quick", "smaller amounts and fewer rounds: to see that it works")
  .option("--json", "print the results as JSON, and the rest to standard error")
  .option("--markdown", "print a Markdown table at the end")
  .option("--check", "exit with 1 where a bound does not hold")
  .option("--built", "run workers of `npm run build`, as packages have them, instead of the sources")
  .option("--profile <folder>", "leave CPU profiles of Bucketline's workers there")
  .addHelpText("after", `\nBenchmarks:\n${listed.join("\n")}`)
  .action(main)
  .parseAsync();

async function main(names: readonly string[], options: Options): Promise<void> {
  const chosen =
    names.length === 0
      ? benchmarks.filter(({ onDemand }) => onDemand !== true)
      : benchmarks.filter(({ name }) => names.includes(name));
  const machine = describeMachine();
  if (!options.json) console.log(machineLine(machine));
  const results: NamedResult[] = [];
  for (const benchmark of chosen) {
    const result = await runOne(benchmark, options);
    results.push(result);
    if (!options.json) printResult(result);
  }
  if (options.markdown) console.log(`\n${machineLine(machine)}\n\n${markdownTable(results)}`);
  if (options.json)
    console.log(
      JSON.stringify({ machine, quick: options.quick ?? false, results: results.map(withVerdicts) }, undefined, 2),
    );
  const below = results.some(({ figures }) => figures.some((figure) => verdictOf(figure) === "BELOW"));
  if (options.check && below) process.exitCode = 1;
}

function withVerdicts(result: NamedResult) {
  return { ...result, figures: result.figures.map((figure) => ({ ...figure, verdict: verdictOf(figure) })) };
}

async function runOne(
  { name, title, run }: Benchmark,
  { quick = false, profile, built }: Options,
): Promise<NamedResult> {
  await using stack = new AsyncDisposableStack();
  // Ctrl-C must leave nothing behind either.
  let interrupted = false;
  const interrupt = (signal: NodeJS.Signals) => {
    interrupted = true;
    process.stderr.write(`\n${signal}: cleaning up\n`);
    void stack.disposeAsync().finally(() => process.exit(130));
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  stack.defer(() => void process.off("SIGINT", interrupt).off("SIGTERM", interrupt));
  const say = (line: string) => process.stderr.write(`${name}: ${line}\n`);
  const [load = 0] = loadavg();
  const startedAt = performance.now();
  try {
    const result = await run({ quick, stack, say, profileFolder: profile, built, path: process.env["PATH"] ?? "" });
    return { ...result, name, title, load, seconds: (performance.now() - startedAt) / 1000 };
  } catch (error) {
    // What was taken away from under it is no news; the process ends when all is cleaned up.
    if (interrupted) await new Promise(() => {});
    throw error;
  }
}
