import { Command } from "commander";
import { reportText } from "../../conformance/print-report.ts";
import type { CheckResult, Report } from "../../conformance/report.ts";
import { runConformance } from "../../conformance/run.ts";
import type { Target } from "../../conformance/worker-under-test.ts";
import type { Environment } from "../../environment.ts";
import { stopSignal } from "../../stop-signal.ts";
import { EXIT } from "../../usage-exit.ts";

type Options = {
  readonly endpoint?: string;
  readonly region?: string;
  readonly accessKey?: string;
  readonly secretKey?: string;
  readonly sessionToken?: string;
  readonly pathStyle?: boolean;
  readonly json?: true;
  readonly verbose?: true;
};

/** `bucketline conformance`: every activity and every capability, on any S3 endpoint. */
export function conformanceCommand({ env }: Environment): Command {
  const command = new Command("conformance")
    .description(
      "run every activity against an S3 endpoint, in buckets that it makes and removes, and tell what the store can do",
    )
    .option("--endpoint <url>", "the store; default: AWS_ENDPOINT_URL_S3, else AWS itself")
    .option("--region <region>", "default: AWS_REGION, else us-east-1")
    .option("--access-key <id>", "default: AWS_ACCESS_KEY_ID")
    .option("--secret-key <secret>", "default: AWS_SECRET_ACCESS_KEY, which no list of processes shows")
    .option("--session-token <token>", "default: AWS_SESSION_TOKEN, where the keys come from the environment")
    .option("--path-style", "buckets in the path; the default with an endpoint")
    .option("--no-path-style", "buckets in the host name; the default on AWS")
    .option("--verbose", "a line for every check")
    .option("--json", "the report as JSON")
    .addHelpText(
      "after",
      `
Exit codes: 0 every activity works; 1 an activity fails, or the run could not be done; 2 wrong usage; 130 interrupted.

Examples:
  1. bucketline conformance --endpoint http://127.0.0.1:9000 --region us-east-1 --access-key KEY --secret-key SECRET --path-style
  2. AWS_ACCESS_KEY_ID=KEY AWS_SECRET_ACCESS_KEY=SECRET bucketline conformance --region eu-central-1
  3. REDIS_URL=redis://127.0.0.1:6379 bucketline conformance --endpoint https://s3.example.com --json > report.json`,
    );
  return command.action(async (options: Options) => conformance(targetOf(options, env, command), options, env));
}

async function conformance(target: Target, { json, verbose }: Options, env: NodeJS.ProcessEnv): Promise<void> {
  using stop = stopSignal();
  const { signal } = stop;
  // Progress goes beside the report, which may be piped.
  const told = (what: string | CheckResult) => {
    if (typeof what === "string") console.error(what);
    else if (verbose) console.error(`${what.verdict.padEnd(9)}${what.activity} ${what.claim} (${what.ms} ms)`);
  };
  let report: Report;
  try {
    report = await runConformance(target, { env, signal, told });
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
    console.error("interrupted; what it had made is removed");
    process.exitCode = EXIT.interrupted;
    return;
  }
  console.log(json ? JSON.stringify(report, undefined, 2) : reportText(report));
  process.exitCode = report.activities.some(({ verdict }) => verdict === "fails") ? 1 : 0;
}

function targetOf(options: Options, env: NodeJS.ProcessEnv, command: Command): Target {
  const accessKeyId = options.accessKey ?? env["AWS_ACCESS_KEY_ID"];
  const secretAccessKey = options.secretKey ?? env["AWS_SECRET_ACCESS_KEY"];
  if (!accessKeyId || !secretAccessKey)
    return command.error(
      "error: expected --access-key and --secret-key, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
      { exitCode: 2 },
    );
  const given = options.endpoint ?? env["AWS_ENDPOINT_URL_S3"] ?? env["AWS_ENDPOINT_URL"];
  if (given !== undefined && !/^https?:$/.test(URL.parse(given)?.protocol ?? ""))
    command.error(`error: expected an http or https URL as --endpoint, got ${given}`, { exitCode: 2 });
  const endpoint = isAws(given) ? undefined : given;
  return {
    endpoint,
    region: options.region ?? env["AWS_REGION"] ?? "us-east-1",
    accessKeyId,
    secretAccessKey,
    sessionToken:
      (options.sessionToken ?? (options.accessKey === undefined ? env["AWS_SESSION_TOKEN"] : undefined)) || undefined,
    pathStyle: options.pathStyle ?? endpoint !== undefined,
  };
}

/** On AWS the SDK knows the endpoints of every region. */
function isAws(endpoint: string | undefined): boolean {
  return endpoint === undefined || /(^|\.)amazonaws\.com(\.cn)?$/.test(URL.parse(endpoint)?.hostname ?? "");
}
