import { styleText } from "node:util";
import { Command } from "commander";
import type { Environment } from "../../environment.ts";
import { runCheck } from "../../check/run.ts";
import type { Finding } from "../../check/finding.ts";
import { jsonLine, printable, printableLines } from "../../output/printable.ts";
import { stopSignal } from "../../stop-signal.ts";
import { EXIT } from "../../usage-exit.ts";

type Options = {
  readonly profile?: string;
  readonly bucket?: string;
  readonly probe?: true;
  readonly json?: true;
};

/** `bucketline check`: would a worker with this environment do its work? */
export function checkCommand(environment: Environment): Command {
  const command = new Command("check")
    .description(
      "check what a worker would meet with this environment: Redis, documents, credentials, and what a bucket's store enforces",
    )
    .option("--profile <name>", "only this profile; default: all")
    .option("--bucket <name>", "find out by doing what its store enforces, under a prefix that is removed again")
    .option("--probe", "with --bucket: headers, limits, names and the like too, and print the profile that fits")
    .option("--json", "a line of JSON for each finding")
    .addHelpText(
      "after",
      `
Exit codes: 0 all is well; 1 there is a problem; 2 wrong usage; 130 interrupted.

Examples:
  1. bucketline check
  2. REDIS_URL=redis://redis:6379 BUCKETLINE_PROFILES=profiles.json bucketline check --json
  3. bucketline check --profile archive --bucket my-archive
  4. bucketline check --profile archive --bucket my-archive --probe`,
    );
  return command.action(async (options: Options) => {
    if (options.probe && options.bucket === undefined)
      command.error("error: --probe: expected --bucket, in which it may write under a prefix of its own", {
        exitCode: EXIT.usage,
      });
    using stop = stopSignal();
    const { signal } = stop;
    let problems = 0;
    try {
      for await (const finding of runCheck({ ...environment, ...options, signal })) {
        if (finding.level === "problem") problems += 1;
        console.log(options.json ? jsonLine(finding) : line(finding));
      }
      process.exitCode = problems === 0 ? EXIT.fine : EXIT.problem;
    } catch (error) {
      if (!signal.aborted) throw error;
      process.exitCode = EXIT.interrupted;
    }
  });
}

const STYLES = { fine: "green", advice: "yellow", problem: "red" } as const;

const INDENT = "".padEnd(9);

function line({ level, about, found, advice }: Finding): string {
  const first = `${styleText(STYLES[level], level.padEnd(8))} ${about.padEnd(34)} ${printableLines(found).replaceAll("\n", `\n${INDENT}`)}`;
  return advice === undefined ? first : `${first}\n${INDENT}${printable(advice)}`;
}
