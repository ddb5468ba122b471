import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Clients, command } from "./command.ts";
import type { Python } from "./python.ts";

/** Rules between fields, which JSON Schema cannot say, or not so that generators understand it: each is told in a field's description. */
const HOOKS = `
import json
import re
import schemathesis

SAFE = re.compile(r"^(?!\\.{1,2}(?:/|$))(?![\\s\\S]*/\\.{1,2}(?:/|$))")

def fits(body):
    if not isinstance(body, dict):
        return True
    # Refused wherever it stands: a key that pollutes prototypes.
    if "__proto__" in json.dumps(body) or "constructor" in json.dumps(body):
        return False
    range_ = body.get("range")
    if isinstance(range_, dict) and "end" in range_ and range_["end"] < range_["start"]:
        return False
    # The key of an upload defaults to the document's name, which must be a key then.
    if "document" in body and "key" not in body and not (SAFE.match(body["document"]["name"]) and len(body["document"]["name"].encode()) <= 1024):
        return False
    # Durations have a range, which text cannot say.
    if "every" in body and not 1000 <= milliseconds(body["every"]) <= 366 * 86400000:
        return False
    # Sizes in bytes of UTF-8, which JSON Schema counts in characters.
    metadata = body.get("metadata") or {}
    if sum(len(name.encode()) + len(value.encode()) for name, value in metadata.items()) > 2048 or len({name.lower() for name in metadata}) < len(metadata):
        return False
    return "operation" not in body or batch_fits(body)

UNITS = {"ms": 1, "s": 1000, "m": 60000, "h": 3600000, "d": 86400000}

def milliseconds(every):
    if not isinstance(every, str):
        return every
    amount, unit = re.fullmatch(r"\\s*([0-9]+)\\s*(ms|s|m|h|d)\\s*", every).groups()
    return int(amount) * UNITS[unit]

def batch_fits(body):
    source, filter_ = body["source"], body.get("filter", {})
    # Globs have a syntax of their own; sizes and dates are told of prefixes only.
    if any(set(glob) & set("[]{}\\\\*") for glob in filter_.get("include", []) + filter_.get("exclude", [])):
        return False
    if filter_.get("minSize", 0) > filter_.get("maxSize", float("inf")):
        return False
    if "prefix" not in source and ("bucket" not in source or "manifest" in source) and (set(filter_) - {"include", "exclude"} or "maxBytes" in body):
        return False
    items = source.get("items", [])
    # Objects named twice, and destinations that are sources.
    return len(items) < 2 and body.get("destination", {}).get("bucket") not in [source.get("bucket"), *(item["bucket"] for item in items)]

@schemathesis.hook
def map_body(context, body):
    # Cron expressions and names of time zones have a syntax of their own, which chance does not meet.
    if isinstance(body, dict) and "cron" in body:
        return {**body, "cron": "30 3 * * 1-5", **({"timezone": "Europe/Berlin"} if "timezone" in body else {})}
    return body

@schemathesis.hook
def filter_body(context, body):
    return fits(body)
`;

const CHECKS = [
  "positive_data_acceptance",
  "not_a_server_error",
  "status_code_conformance",
  "response_schema_conformance",
];

/** A condition that does not hold (412) is no refusal of the request's form. */
const CONFIG = `hooks = "hooks.py"

[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", "401", "403", "404", "409", "412", "429"]
`;

/** Sends requests made from the document's schemas: what they allow must not be refused, and what is answered must have the form that they say. */
export async function schemaValidRequests(
  { folder, document, url, token }: Clients,
  { program }: Python,
): Promise<void> {
  await writeFile(join(folder, "hooks.py"), HOOKS);
  await writeFile(join(folder, "schemathesis.toml"), CONFIG);
  const args = [
    "--config-file schemathesis.toml run --phases fuzzing --mode positive --max-examples 25 --max-time 40 --generation-deterministic --no-color",
    // Streams that end with their reader, and waits.
    "--exclude-path-regex (events|wait)$",
  ].flatMap((words) => words.split(" "));
  const place = [document, "--url", url, "--header", `Authorization: Bearer ${token}`, "--checks", CHECKS.join(",")];
  await command(program("schemathesis"), [...args, ...place], { cwd: folder }).catch((error: Error) => {
    // What failed; hints on what was not reached follow it.
    const [failures = error.message] = error.message.split("= WARNINGS =");
    throw new Error(failures.slice(-6000), { cause: error });
  });
}
