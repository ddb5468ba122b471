import { type Command, Option } from "commander";
import type { BatchSpecInput } from "../../producer/index.ts";
import { batchPriority, positive, positiveInteger, several } from "../option-values.ts";
import type { Source } from "../s3-url.ts";
import { EXIT } from "../usage-exit.ts";

/** Options of rm, cp and mv that only a prefix or a pattern can have. */
export type BatchOptions = {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly dryRun?: true;
  readonly detach?: true;
  readonly maxRate?: number;
  readonly maxObjects?: number;
  readonly priority?: number;
  readonly report?: "all" | "failures";
  readonly idempotencyKey?: string;
  readonly yes?: true;
  readonly literal?: true;
  readonly recursive?: true;
  readonly json?: true;
  readonly profile?: string;
};

/** What one object has no use for: to take it in silence would do what nobody asked for. */
const FOR_MANY = {
  include: "--include",
  exclude: "--exclude",
  dryRun: "--dry-run",
  detach: "--detach",
  maxRate: "--max-rate",
  maxObjects: "--max-objects",
  priority: "--priority",
  report: "--report",
  idempotencyKey: "--idempotency-key",
} as const satisfies Partial<Record<keyof BatchOptions, string>>;
/** And what many have none for. */
const FOR_ONE = { versionId: "--version-id", ifMatch: "--if-match" } as const;

/** Ends with a usage error where an option has no meaning for what the URL names. */
export function refuseLostOptions(command: Command, source: Source, options: BatchOptions): void {
  const [names, expected]: [Readonly<Record<string, string>>, string] =
    source.kind === "object"
      ? [FOR_MANY, "a prefix (ends with /) or a pattern"]
      : [FOR_ONE, "one object, as for many there is none that fits all"];
  const given = new Map<string, unknown>(Object.entries(options));
  const lost = Object.entries(names).find(([name]) => given.get(name) !== undefined);
  if (options.recursive && options.literal)
    command.error("error: --literal: expected one object, without --recursive", { exitCode: EXIT.usage });
  if (lost !== undefined) command.error(`error: ${lost[1]}: expected ${expected}`, { exitCode: EXIT.usage });
  if (source.kind === "many" && source.include !== undefined && options.include !== undefined)
    command.error("error: --include: expected it with a prefix; the URL is a pattern itself", { exitCode: EXIT.usage });
}

/** Those that say what a URL stands for. */
export function addSourceOptions(command: Command): Command {
  return command
    .option("-r, --recursive", "all below the URL, also where it does not end with /")
    .option("--literal", "the URL names one object, whatever characters its key has")
    .option("--yes", "confirm that a whole bucket is meant");
}

export function addBatchOptions(command: Command): Command {
  return command
    .option("--include <glob>", "only keys (after the prefix) that match; may be repeated", several)
    .option("--exclude <glob>", "no keys that match; may be repeated", several)
    .option("--dry-run", "count and tell what would happen; `batch confirm` starts exactly that")
    .option("--detach", "print the batch's id and do not wait")
    .option("--max-rate <objects>", "objects per second, over all workers", positive)
    .option("--max-objects <number>", "end after so many", positiveInteger)
    .option("--priority <number>", "1 goes first, 2000 last; default 100", batchPriority)
    .addOption(
      new Option("--report <rows>", "keep a row for `all` objects, or for `failures`").choices(["all", "failures"]),
    )
    .option("--idempotency-key <key>", "asked again with it, the same batch")
    .option("--json", "JSON, one value a line")
    .option("--profile <name>", "the workers' profile to use");
}

/** The parts of a batch's request that these options say. */
export function batchSpec(options: BatchOptions, include: string | undefined): Partial<BatchSpecInput> {
  const included = include === undefined ? options.include : [include];
  const { exclude, dryRun, maxRate, maxObjects, priority, report, profile } = options;
  return {
    credentials: profile,
    ...((included ?? exclude) !== undefined && {
      filter: { include: included && [...included], exclude: exclude && [...exclude] },
    }),
    dryRun: dryRun ?? false,
    maxObjectsPerSecond: maxRate,
    maxObjects,
    priority,
    report,
  };
}
