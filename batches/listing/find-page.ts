import { buffer } from "node:stream/consumers";
import { ActivityError } from "../../model/activity-error.ts";
import type { DocumentStore } from "../../documents/interface.ts";
import type { S3 } from "../../s3/interface.ts";
import type { BatchItem } from "../spec/fields.ts";
import { type BatchSpec, prefixSource } from "../spec/request.ts";
import type { BatchStore } from "../state/store.ts";
import { findKeptPage, keepsPages } from "./kept-page.ts";
import { createFilter, keepMatching } from "./filter.ts";
import { type ListingCursor, listChunk } from "./pages.ts";
import {
  bytesOf,
  type ChunkManifest,
  cutManifest,
  decodeManifest,
  encodeManifest,
  manifestOfEntries,
  manifestOfListing,
} from "../state/chunk-manifest.ts";
import type { Begun, ChunkRef, ChunkStore, Committed } from "../state/chunk-store.ts";
import { planId } from "../report/segment.ts";

export type FoundPage = {
  readonly manifest: ChunkManifest;
  readonly filtered: number;
  readonly cursor: string;
  readonly last: boolean;
  /** It is what a dry run planned, or was committed before: cut to the caps already, and taken exactly as it is. */
  readonly planned?: boolean;
  /** Redis forgot that it was committed. */
  readonly kept?: boolean;
  readonly cap?: string;
};

type Place = { readonly ref: ChunkRef; readonly spec: BatchSpec; readonly begun: Extract<Begun, { what: "list" }> };
type Means = {
  readonly store: BatchStore;
  readonly documents: DocumentStore;
  readonly source: S3;
  readonly signal: AbortSignal;
};

/** The next objects of a chain: a page of the listing, the items of the request, or what a dry run planned. */
export async function findPage({ ref, spec, begun }: Place, means: Means): Promise<FoundPage> {
  const { store, source, signal } = means;
  if (begun.planned !== undefined) return await plannedPage(ref, begun, means);
  const prefix = prefixSource(spec);
  if (prefix !== undefined) {
    const kept = keepsPages(spec) ? await keptPage(ref, begun.run, means) : undefined;
    if (kept !== undefined) return kept;
    const cursor = begun.cursor === "" ? {} : (JSON.parse(begun.cursor) as ListingCursor); // only open-batch and this write it
    const page = await listChunk(source, prefix, { cursor, filter: createFilter(spec.filter), signal });
    return { ...page, manifest: manifestOfListing(prefix.bucket, page.objects), cursor: JSON.stringify(page.cursor) };
  }
  const filter = createFilter(spec.filter);
  const items = JSON.parse((await store.items(ref.batch)) ?? "[]") as BatchItem[]; // written by create-batches after parsing
  const meant = filter === undefined ? items : await keepMatching(items, ({ key }) => filter.matchesKey(key));
  return {
    manifest: manifestOfEntries(meant),
    filtered: items.length - meant.length,
    cursor: "",
    last: true,
  };
}

async function keptPage(ref: ChunkRef, run: string, { documents, signal }: Means): Promise<FoundPage | undefined> {
  const manifest = await findKeptPage(documents, { ref, run, signal });
  if (manifest?.page === undefined) return undefined;
  const { cursor, last, filtered, cap } = manifest.page;
  const place = { cursor, last, filtered, ...(cap !== undefined && { cap }) };
  return { ...place, manifest, planned: true, kept: true };
}

async function plannedPage(
  ref: ChunkRef,
  { planned = 0, hasPlan }: Place["begun"],
  { documents, signal }: Means,
): Promise<FoundPage> {
  const rest = { planned: true, filtered: 0, cursor: "", last: ref.n + 1 >= planned };
  if (!hasPlan) return { ...rest, manifest: manifestOfEntries([]) };
  const pointer = await documents.find(planId(ref), { signal });
  if (pointer === undefined)
    throw new ActivityError(
      "PlanLost",
      `expected the plan of chunk ${ref.chain}-${ref.n} in ${documents.location}, it is gone`,
    );
  const bytes = await buffer(await documents.read(pointer, { keep: true, signal }));
  return { ...rest, manifest: await decodeManifest(bytes) };
}

/** Makes a page a chunk, cut to what the batch's caps leave. */
export async function commitPage(
  chunks: ChunkStore,
  {
    ref,
    spec,
    run,
    page,
    work,
  }: {
    readonly ref: ChunkRef;
    readonly spec: BatchSpec;
    /** As the page was begun with. */
    readonly run: string;
    readonly page: FoundPage;
    readonly work: boolean;
  },
): Promise<Exclude<Committed, { what: "cap" }>> {
  const caps = page.planned === true ? {} : { maxObjects: spec.maxObjects, maxBytes: spec.maxBytes };
  let { manifest } = page;
  let { cap } = page;
  for (;;) {
    const { cursor, last, filtered } = page;
    const place = { run, cursor, last, filtered, ...(cap !== undefined && { cap }) };
    const committed = await chunks.commit(ref, {
      ...page,
      ...caps,
      run,
      work,
      cap,
      count: manifest.keys.length,
      bytes: bytesOf(manifest),
      manifest: await encodeManifest(keepsPages(spec) ? { ...manifest, page: place } : manifest),
    });
    if (committed.what !== "cap") return committed;
    const { objects, bytes } = committed;
    const fit = fitting(manifest, { objects, bytes });
    cap = objects >= 0 && fit === objects ? "maxObjects" : "maxBytes";
    manifest = cutManifest(manifest, fit);
  }
}

function fitting({ sizes }: ChunkManifest, room: { readonly objects: number; readonly bytes: number }): number {
  const most = room.objects < 0 ? sizes.length : Math.min(room.objects, sizes.length);
  let bytes = 0;
  for (let count = 0; count < most; count++) {
    bytes += Math.max(0, sizes[count] ?? 0);
    if (room.bytes >= 0 && bytes > room.bytes) return count;
  }
  return most;
}
