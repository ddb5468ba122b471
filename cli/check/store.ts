import type { Capability, Connection } from "../../worker/inspect.ts";
import { advise, fine, type Finding, messageOf, problem } from "./finding.ts";

type Inspect = typeof import("../../worker/inspect.ts");

/** Probes the store behind a bucket, and compares what it enforces with what the profile says that it does. */
export async function* checkStore(
  { capabilityTitles, probeCapabilities, profileFor }: Inspect,
  connection: Connection,
  bucket: string,
  signal: AbortSignal,
): AsyncGenerator<Finding> {
  let capabilities: readonly Capability[];
  try {
    capabilities = await probeCapabilities(connection, { bucket, signal });
  } catch (error) {
    signal.throwIfAborted();
    yield problem(
      `bucket ${bucket}`,
      messageOf(error),
      "the probe needs to write, read, list and delete in the bucket",
    );
    return;
  }
  for (const { name, found, detail } of capabilities) {
    const about = capabilityTitles[name];
    if (found === "works") yield fine(about, detail);
    else
      yield { level: "fine", about, found: `the store ${found === "ignored" ? "ignores" : "refuses"} it (${detail})` };
  }
  yield* compare(connection, profileFor(capabilities));
}

function* compare(connection: Connection, enforced: ReturnType<Inspect["profileFor"]>): Generator<Finding> {
  const about = `settings of profile ${connection.name}`;
  let right = true;
  for (const flag of ["conditionalCopy", "conditionalDelete"] as const) {
    if (connection[flag] === enforced[flag]) continue;
    right = false;
    if (connection[flag])
      yield problem(
        about,
        `${flag} is true, but the store does not enforce it: a move could delete what it did not copy`,
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
