import type { Capability, Connection } from "../../worker/inspect.ts";
import { ActivityError } from "../../model/activity-error.ts";
import { AROUND, FOLLOWS } from "../conformance/around.ts";
import { advise, fine, type Finding, messageOf, problem } from "./finding.ts";

type Inspect = typeof import("../../worker/inspect.ts");

/** Probes the store behind a bucket, and compares what it enforces with what the profile says that it does. */
export async function* checkStore(
  { capabilityTitles, probeCapabilities, profileFor }: Inspect,
  connection: Connection,
  {
    bucket,
    probe = false,
    signal,
  }: { readonly bucket: string; readonly probe?: boolean; readonly signal: AbortSignal },
): AsyncGenerator<Finding> {
  let capabilities: readonly Capability[];
  try {
    capabilities = await probeCapabilities(connection, { bucket, brief: !probe, signal });
  } catch (error) {
    signal.throwIfAborted();
    yield problem(`bucket ${bucket}`, messageOf(error), hintFor(error));
    return;
  }
  for (const { name, found, detail } of capabilities) {
    const about = capabilityTitles[name];
    if (found === "works") yield fine(about, detail);
    else {
      const what = `the store ${found === "ignored" ? "does not do it" : "refuses it"} (${detail})`;
      yield advise(about, what, AROUND[name] ?? FOLLOWS[name] ?? "what depends on it fails there");
    }
  }
  yield* compare(connection, profileFor(capabilities));
  if (probe)
    yield advise("the profile that fits", JSON.stringify(settingsFor(connection, profileFor(capabilities))), WHERE);
}

const WHERE = "these are its settings in the file that BUCKETLINE_PROFILES names, beside its provider";

/** What a profile for this store should say. */
function settingsFor(
  { endpoint, region, pathStyle }: Connection,
  enforced: ReturnType<Inspect["profileFor"]>,
): Readonly<Record<string, unknown>> {
  return { ...(endpoint !== undefined && { endpoint }), region, pathStyle, ...enforced };
}

/** What may be done about a probe that could not even begin. */
function hintFor(error: unknown): string {
  const code = error instanceof ActivityError ? error.code : "";
  if (code === "NoSuchBucket") return "make it (bucketline mb), or name another";
  if (code === "AccessDenied") return "the probe needs to write, read, list and delete in the bucket";
  if (error instanceof ActivityError && error.retryable)
    return "try again; the store could not be reached, or had no time";
  return 'the store refuses a plain upload: look at the profile\'s region, pathStyle and "checksums": "when-required"';
}

function* compare(connection: Connection, enforced: ReturnType<Inspect["profileFor"]>): Generator<Finding> {
  const about = `settings of profile ${connection.name}`;
  let right = true;
  for (const flag of ["conditionalCopy", "conditionalDelete", "conditionalWrite"] as const) {
    if (connection[flag] === enforced[flag]) continue;
    right = false;
    if (connection[flag])
      yield problem(
        about,
        `${flag} is true, but the store does not enforce it: what others wrote could be lost`,
        `set "${flag}": false`,
      );
    else
      yield advise(
        about,
        `${flag} is false, but the store enforces it`,
        `set "${flag}": true: moves get a conditional guarantee and fewer requests`,
      );
  }
  if (connection.checksums === "when-supported" && enforced.checksums === "when-required") {
    right = false;
    yield problem(
      about,
      "checksums is when-supported, but the store cannot take them",
      'set "checksums": "when-required"',
    );
  }
  if (right) yield fine(about, JSON.stringify(enforced));
}
