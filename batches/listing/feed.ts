import type { BatchQueue } from "../state/queue.ts";
import { chunkJob, fairPriority } from "../state/queue.ts";
import type { ManifestSource } from "../spec/fields.ts";
import type { BatchSpec } from "../spec/request.ts";
import { createFilter, keepMatching } from "./filter.ts";
import { CHUNK_SIZE, type ManifestEntry, manifestOfEntries } from "../state/chunk-manifest.ts";
import { parseManifestLines } from "./manifest-entries.ts";
import { type ManifestCursor, readManifestLines } from "./manifest-lines.ts";
import { commitPage } from "./find-page.ts";
import type { ChunkStore } from "../state/chunk-store.ts";
import type { ChunkDeps } from "../run/work.ts";

type Feeding = {
  readonly batch: string;
  readonly spec: BatchSpec;
  readonly source: ManifestSource;
  readonly next: number;
  /** Lines whose destination is an earlier line's, and what goes there. */
  readonly taken: ReadonlyMap<number, string>;
  readonly maxOpen: number;
  readonly signal: AbortSignal;
};

/**
 * Cuts a manifest document into chunks. A document is read from its beginning only, so one job stays ahead with it, as far as the batch may
 * have chunks open, instead of every chunk reading up to its place. The cursor moves with every chunk's commit, so nothing is fed twice.
 *
 * @returns `full` where it has to go on later
 */
export async function feedManifest(
  { batch, spec, source, next, taken, maxOpen, signal }: Feeding,
  {
    chunks,
    queue,
    documents,
  }: { readonly chunks: ChunkStore; readonly queue: BatchQueue; readonly documents: ChunkDeps["documents"] },
): Promise<"full" | "done"> {
  let n = next;
  // Every entry reads the document from its beginning, so it waits until half the room is free instead of filling one place at a time.
  let begun = await chunks.begin({ batch, chain: 0, n }, maxOpen < 8 ? maxOpen : Math.floor(maxOpen / 2));
  if (begun.what !== "list") return begun.what === "full" ? "full" : "done";
  const filter = createFilter(spec.filter);
  const cursor = JSON.parse(begun.cursor) as ManifestCursor; // only open-source and this write it
  const content = await documents.read(source.manifest, { keep: true, signal });
  try {
    for await (const group of readManifestLines(content, { cursor, size: CHUNK_SIZE, format: source.format })) {
      if (begun.what === "full") return "full";
      if (begun.what !== "list") return "done";
      const parsed = await parseManifestLines(group.lines, { ...source, columns: group.cursor.columns });
      const entries = parsed.map((entry, at) => withoutDestination(entry, taken.get(group.lines[at]?.number ?? 0)));
      const meant =
        filter === undefined
          ? entries
          : await keepMatching(entries, (entry) => entry.refusal !== undefined || filter.matchesKey(entry.key));
      const page = {
        manifest: manifestOfEntries(meant),
        filtered: entries.length - meant.length,
        cursor: JSON.stringify(group.cursor),
        // A group that is not full is the last one.
        last: group.lines.length < CHUNK_SIZE,
      };
      const committed = await commitPage(chunks, {
        ref: { batch, chain: 0, n },
        spec,
        run: begun.run,
        page,
        work: false,
      });
      if (committed.what !== "committed") return "done";
      await queue.add([chunkJob(batch, { chain: 0, n }, fairPriority(committed.priority, n === 0))]);
      if (committed.last) return "done";
      n++;
      begun = await chunks.begin({ batch, chain: 0, n }, maxOpen);
    }
    return "done";
  } finally {
    content.destroy();
  }
}

function withoutDestination(entry: ManifestEntry, by: string | undefined): ManifestEntry {
  if (by === undefined) return entry;
  const message = `DestinationTaken: s3://${by} goes there in this batch; expected a destination of its own`;
  return { ...entry, refusal: { code: "DestinationTaken", message } };
}
