import { randomBytes } from "node:crypto";
import { ActivityError } from "../../model/activity-error.ts";
import { activityNames } from "../../jobs/contracts.ts";
import type { Capability, Connection, OpenS3 } from "../../worker/inspect.ts";
import { controlKeys, oddKeys } from "./odd-keys.ts";
import { type Subject, THRESHOLD } from "./check.ts";
import { activityRow, capabilityRow, type CheckResult, type Report } from "./report.ts";
import { allChecks, runChecks } from "./run-checks.ts";
import { startWorkerUnderTest, type Target } from "./worker-under-test.ts";

export type RunOptions = {
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** Told what goes on. */
  readonly told: (what: string | CheckResult) => void;
};

/** How long one job may take, its repetitions included. */
const JOB_TIMEOUT_MS = 120_000;
const CLEAN_UP_WITHIN_MS = 120_000;

/**
 * Finds out what a store can do, sets a profile up accordingly, and runs every activity through Redis and a worker, in buckets of its
 * own that are removed at the end, also after a failure or an abort.
 */
export async function runConformance(target: Target, { env, signal, told }: RunOptions): Promise<Report> {
  const { capabilityTitles, createS3, enableVersioning, probeCapabilities, profileFor, proxyOf } =
    await import("../../worker/inspect.ts");
  const run = `bucketline-${randomBytes(4).toString("hex")}`;
  const careful = connectionTo(target, proxyOf(env));
  await using stack = new AsyncDisposableStack();
  const buckets = new Set<string>();
  // What was found out is worth more than a tidy store: it is told which buckets stay, and the report is made all the same.
  stack.defer(() =>
    removeBuckets(careful, buckets).catch((error: unknown) => {
      told(error instanceof Error ? error.message : String(error));
    }),
  );
  const bucketNamed = (name: string) => {
    buckets.add(`${run}-${name}`);
    return `${run}-${name}`;
  };

  told("finding out what the store supports and enforces");
  const probing = createS3(careful);
  stack.defer(() => probing.close());
  const scratch = bucketNamed("probe");
  await probing.createBucket({ bucket: scratch }, { signal });
  const probed = await probeCapabilities(careful, { bucket: scratch, signal });
  const settings = profileFor(probed);
  const versioned = bucketNamed("versions");
  const turnOn = async (): Promise<void> => {
    await probing.createBucket({ bucket: versioned }, { signal });
    await enableVersioning(careful, versioned, { signal });
  };
  const versions = await finding(turnOn());
  const capabilities = probed.map((one) => (one.name === "versions" ? { ...one, ...versions } : one));

  told("starting Redis and a worker");
  const producer = await startWorkerUnderTest(target, { settings, env, prefix: run }, stack);
  const s3 = createS3({ ...careful, ...settings }, { copyPartSize: THRESHOLD, uploadPartSize: THRESHOLD });
  stack.defer(() => s3.close());
  let spares = 0;
  const subject: Subject = {
    producer,
    s3,
    signal,
    bucket: bucketNamed("in"),
    other: bucketNamed("out"),
    odd: bucketNamed("odd"),
    oddKeys: [...oddKeys],
    versioned: versions.found === "works" ? versioned : undefined,
    run: (name, input) => producer.run(name, input, { timeout: JOB_TIMEOUT_MS, attempts: 3, signal }),
    spareBucket: () => bucketNamed(`spare-${(spares += 1)}`),
  };
  const results = await runChecks(subject, capabilities, told);
  const rows = capabilities.map((one) =>
    capabilityRow(one, capabilityTitles[one.name], { checks: allChecks, results }),
  );
  return { ...summed(target, results), profile: settings, capabilities: rows };
}

function summed(
  { endpoint, region }: Target,
  results: readonly CheckResult[],
): Omit<Report, "profile" | "capabilities"> {
  const count = (wanted: CheckResult["verdict"]) => results.filter(({ verdict }) => verdict === wanted).length;
  return {
    endpoint: endpoint ?? "AWS",
    region,
    activities: [...activityNames, "batches" as const].map((name) => activityRow(name, results)),
    passed: count("works"),
    failed: count("fails"),
  };
}

function connectionTo({ endpoint, region, pathStyle, ...keys }: Target, proxy: Connection["proxy"]): Connection {
  const { accessKeyId, secretAccessKey, sessionToken } = keys;
  const identity = { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
  return {
    name: "conformance",
    credentials: () => Promise.resolve(identity),
    region,
    ...(endpoint !== undefined && { endpoint }),
    pathStyle,
    // As careful as can be, until it is known what may be relied upon.
    checksums: "when-required",
    conditionalCopy: false,
    conditionalWrite: false,
    conditionalDelete: false,
    multipartThreshold: THRESHOLD,
    ...(proxy !== undefined && { proxy }),
  };
}

async function finding(turnedOn: Promise<void>): Promise<Pick<Capability, "found" | "detail">> {
  try {
    await turnedOn;
    return { found: "works", detail: "turned on for a bucket" };
  } catch (error) {
    if (!(error instanceof ActivityError)) throw error;
    return { found: "refused", detail: `${error.httpStatus ?? ""} ${error.code}`.trim() };
  }
}

/** Some stores do not list them under their names, and so they are removed by those that they were written under. */
async function removeControlKeys(s3: OpenS3, bucket: string, call: { readonly signal: AbortSignal }): Promise<void> {
  for (const key of controlKeys)
    await s3.delete({ object: { bucket, key: `control/${key}` } }, call).catch((error: unknown) => {
      if (error instanceof ActivityError && error.code === "NoSuchBucket") throw error;
    });
}

/** Empties and removes every bucket of the run; those that were not made, or are gone, are skipped. */
async function removeBuckets(connection: Connection, buckets: ReadonlySet<string>): Promise<void> {
  const { createS3, removeScratch } = await import("../../worker/inspect.ts");
  const call = { signal: AbortSignal.timeout(CLEAN_UP_WITHIN_MS) };
  const s3 = createS3(connection);
  const left: string[] = [];
  let cause: unknown;
  try {
    for (const bucket of buckets) {
      try {
        await removeControlKeys(s3, bucket, call);
        await removeScratch(connection, { bucket, prefix: "" }, call);
        await s3.deleteBucket({ bucket }, call);
      } catch (error) {
        if (error instanceof ActivityError && error.code === "NoSuchBucket") continue;
        cause ??= error;
        left.push(bucket);
      }
    }
  } finally {
    await s3.close();
  }
  if (left.length === 0) return;
  const reason = cause instanceof Error ? `: ${cause.message}` : "";
  throw new Error(`these buckets could not be removed: ${left.join(", ")}${reason}`, { cause });
}
