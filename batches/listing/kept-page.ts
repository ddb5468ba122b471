import { buffer, text } from "node:stream/consumers";
import type { DocumentStore } from "../../documents/interface.ts";
import { verbOf } from "../operations.ts";
import { type BatchSpec, prefixSource } from "../spec/request.ts";
import { type ChunkManifest, decodeManifest } from "../state/chunk-manifest.ts";
import type { ChunkRef, Delivery } from "../state/chunk-store.ts";
import type { Opening } from "./open-source.ts";

/*
 * Redis may go back in time: a replica that takes over has not got the last second, a restored snapshot lacks hours. A batch whose objects leave their
 * prefix would list on from where Redis says it stood, find them gone, and never count them. So what a chunk takes on is kept outside of Redis before
 * anything of it is deleted, and whoever lists that chunk once more takes the page that is kept instead.
 */

/** Seconds for which pages are kept: what is older in a Redis that went back is beyond being made good. */
const KEPT_S = 7 * 24 * 3600;

/** Where a listing takes away what it lists; lists and plans say the same each time they are read. */
export function keepsPages(spec: BatchSpec): boolean {
  return verbOf(spec).source.ends === "deleted" && !spec.dryRun && prefixSource(spec) !== undefined;
}

/** Of one run of the record, so that a later batch with the same id never takes it for its own. */
function pageId({ batch, chain, n }: ChunkRef, run: string): string {
  return `batch-${batch}-page-${run.replace(".", "-")}-${chain}-${n}`;
}

export async function findKeptPage(
  documents: Pick<DocumentStore, "find" | "read">,
  { ref, run, signal }: { readonly ref: ChunkRef; readonly run: string; readonly signal: AbortSignal },
): Promise<ChunkManifest | undefined> {
  const pointer = await documents.find(pageId(ref, run), { signal });
  if (pointer === undefined) return undefined;
  return await decodeManifest(await buffer(await documents.read(pointer, { keep: true, signal })));
}

/** Keeps what was committed, word for word. Before the next page of the chain is listed, so that no page is kept whose forerunner is not. */
export async function keepPage(
  documents: Pick<DocumentStore, "find" | "write">,
  { ref, manifest }: Pick<Delivery, "ref" | "manifest">,
  { again = false, signal }: { readonly again?: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const run = (await decodeManifest(manifest)).page?.run;
  if (run === undefined) return;
  const id = pageId(ref, run);
  if (again && (await documents.find(id, { signal })) !== undefined) return;
  const name = `page of batch ${ref.batch}, chunk ${ref.chain}-${ref.n}`;
  await documents.write(manifest, { id, name, ttl: KEPT_S, deleteAfterDownload: false, signal });
}

/** How the source was shared out over chains: what is left of it later would be shared out otherwise, and its pages would not meet. */
export async function openOnce(
  documents: Pick<DocumentStore, "find" | "read" | "write">,
  { batch, nonce, signal }: { readonly batch: string; readonly nonce: string; readonly signal: AbortSignal },
  open: () => Promise<Opening>,
): Promise<Opening> {
  const id = `batch-${batch}-opening-${nonce}`;
  const pointer = await documents.find(id, { signal });
  if (pointer !== undefined)
    return JSON.parse(await text(await documents.read(pointer, { keep: true, signal }))) as Opening; // written below
  const opening = await open();
  const name = `chains of batch ${batch}`;
  await documents.write(JSON.stringify(opening), { id, name, ttl: KEPT_S, deleteAfterDownload: false, signal });
  return opening;
}
