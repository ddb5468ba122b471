import type { Readable } from "node:stream";
import { ActivityError } from "../../model/activity-error.ts";
import type { ManifestSource } from "../spec/fields.ts";
import { type BatchSpec, destinationKeyOf } from "../spec/request.ts";
import type { ManifestEntry } from "../state/chunk-manifest.ts";
import { createPlaces, type Places } from "../state/ranges.ts";
import { parseManifestLines } from "./manifest-entries.ts";
import { readManifestLines } from "./manifest-lines.ts";

/** A line whose destination belongs to an earlier one: its number, and what goes there. */
export type TakenLine = readonly [line: number, by: string];

export type Survey = { readonly places: Places; readonly taken: readonly TakenLine[] };

/** More lines that meet than these are no mistake in a list, but another rule than the one that is asked for. */
const MOST_TAKEN = 10_000;
/** Bits of memory for each byte of the manifest: some 16 for a line, of which one in a hundred is then looked at twice. */
const BITS_PER_BYTE = 0.25;
const [FEWEST_BITS, MOST_BITS] = [2 ** 16, 2 ** 29];

/**
 * Looks through a whole manifest before anything runs: where its objects lie and go, and which lines meet at one destination, in whatever chunks
 * they end up. Memory does not grow with it: what was seen is kept as bits, and only what may have been seen twice is compared by name, in a
 * second reading.
 *
 * @throws ActivityError `DestinationTaken` where too many lines meet
 */
export async function surveyManifest(
  open: () => Promise<Readable>,
  spec: BatchSpec,
  source: ManifestSource,
): Promise<Survey> {
  const places = createPlaces(spec);
  const bits = Math.min(
    MOST_BITS,
    Math.max(FEWEST_BITS, 2 ** Math.ceil(Math.log2(source.manifest.size * BITS_PER_BYTE + 1))),
  );
  const seen = new Uint8Array(bits / 8);
  const suspects = new Set<number>();
  for await (const [, entry] of entriesOf(await open(), source)) {
    places.add(entry);
    if (spec.destination === undefined) continue;
    const hash = hashOf(destinationOf(spec, entry));
    if (setBits(seen, hash, bits)) suspects.add(hash);
  }
  const taken = suspects.size === 0 ? [] : await findTaken(await open(), { spec, source, suspects });
  return { places: places.found(), taken };
}

async function findTaken(
  content: Readable,
  { spec, source, suspects }: { spec: BatchSpec; source: ManifestSource; suspects: ReadonlySet<number> },
): Promise<TakenLine[]> {
  const first = new Map<string, string>();
  const taken: TakenLine[] = [];
  for await (const [line, entry] of entriesOf(content, source)) {
    const to = destinationOf(spec, entry);
    if (!suspects.has(hashOf(to))) continue;
    const name = nameOf(entry);
    const before = first.get(to);
    if (before === undefined) first.set(to, name);
    else if (before !== name) taken.push([line, before]);
    if (taken.length > MOST_TAKEN)
      throw new ActivityError(
        "DestinationTaken",
        `expected a destination for each line of ${source.manifest.name}, more than ${MOST_TAKEN} share one`,
      );
  }
  return taken;
}

async function* entriesOf(content: Readable, source: ManifestSource): AsyncGenerator<readonly [number, ManifestEntry]> {
  const from = { cursor: { offset: 0, line: 0 }, size: 1000, format: source.format };
  for await (const { lines, cursor } of readManifestLines(content, from))
    for (const [at, entry] of (await parseManifestLines(lines, { ...source, columns: cursor.columns })).entries())
      if (entry.refusal === undefined) yield [lines[at]?.number ?? 0, entry];
}

function destinationOf(spec: BatchSpec, { key, destinationKey }: ManifestEntry): string {
  return destinationKey ?? destinationKeyOf(spec, key) ?? "";
}

function nameOf({ bucket, key, versionId }: ManifestEntry): string {
  return versionId === undefined ? `${bucket}/${key}` : `${bucket}/${key} version ${versionId}`;
}

/** 52 bits of two FNV-1a hashes. */
function hashOf(text: string): number {
  let one = 0x811c9dc5;
  let other = 0x050c5d1f;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    one = Math.imul(one ^ unit, 0x01000193);
    other = Math.imul(other ^ (unit + 0x9e37), 0x01000193);
  }
  return (one >>> 0) * 2 ** 20 + ((other >>> 0) & 0xfffff);
}

/** Sets the two bits of a hash. True where both were set before. */
function setBits(seen: Uint8Array, hash: number, bits: number): boolean {
  let known = true;
  for (const bit of [hash % bits, Math.floor(hash / 1024) % (bits - 1)]) {
    const [byte, mask] = [Math.floor(bit / 8), 1 << (bit % 8)];
    known &&= ((seen[byte] ?? 0) & mask) !== 0;
    seen[byte] = (seen[byte] ?? 0) | mask;
  }
  return known;
}
