import type { Readable } from "node:stream";
import { createPlaces, type Places } from "../state/ranges.ts";
import type { BatchSpec, ManifestSource } from "../spec/request.ts";
import { parseManifestLines, readManifestLines } from "./manifest-lines.ts";

/** Where the objects that a manifest names lie, and where they go. Reads it to its end. */
export async function readPlaces(content: Readable, spec: BatchSpec, source: ManifestSource): Promise<Places> {
  const places = createPlaces(spec);
  const from = { cursor: { offset: 0, line: 0 }, size: 1000, format: source.format };
  for await (const { lines } of readManifestLines(content, from))
    for (const entry of parseManifestLines(lines, source)) if (entry.refusal === undefined) places.add(entry);
  return places.found();
}
