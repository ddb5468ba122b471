import type { Reply, ScriptCall } from "./call.ts";
import { keepFirstPin, noteBegun, writeEvidence } from "./evidence.ts";
import { releaseRanges, renewObjects, takeObjects, takeRanges } from "./leases.ts";

type Script = (call: ScriptCall) => Reply;

/** For people who look at a job: nothing that is judged here. */
const ignore: Script = () => 0;

/** Scripts are known by how their first comment begins. */
const SCRIPTS: readonly (readonly [comment: string, script: Script])[] = [
  ["-- Takes all of the objects", takeObjects],
  ["-- Renews what a run holds", renewObjects],
  ["-- Takes all of the ranges", takeRanges],
  ["-- Gives ranges back", releaseRanges],
  ["-- Sets a field of a hash, unless it was removed", ignore],
  ["-- What is known after a failed attempt", ignore],
  ["-- Keeps the first pin", keepFirstPin],
  ["-- Notes that the effect", noteBegun],
  ["-- Writes one piece of evidence", writeEvidence],
];

/** What a script does in the model. A script that it does not know is an error of the model. */
export function scriptOf(source: string): Script {
  for (const [comment, script] of SCRIPTS) if (source.includes(comment)) return script;
  throw new TypeError(`the model does not know this script: ${source}`);
}
