import { ActivityError } from "../../model/activity-error.ts";
import { isContentEtag } from "../../model/etag.ts";
import type { Pin } from "../../s3/interface.ts";
import { prefixSource } from "../spec/request.ts";
import { openIndexes } from "../run/objects.ts";
import { patiently } from "../run/patience.ts";
import { runLanes } from "../run/lanes.ts";
import { type ChunkWork, destinationKeyAt, Superseded } from "../run/work.ts";
import { compareKeys } from "./key-order.ts";

/** What the destination held before this chunk wrote anything: index of the object, to ETag and size. */
export type Conflicts = ReadonlyMap<number, { readonly etag: string; readonly size: number }>;

/** Pages of the destination that are listed for one chunk, before single objects are asked for instead. */
const MAX_PAGES = 4;

/**
 * Looks once for each chunk, and remembers it for later deliveries: what they find there may be our own copies.
 *
 * @throws Superseded where another delivery has the chunk
 */
export async function loadConflicts(work: ChunkWork): Promise<Conflicts> {
  const { delivery, chunks } = work;
  if (delivery.conflicts !== undefined)
    return new Map(JSON.parse(delivery.conflicts) as [number, { etag: string; size: number }][]); // written below
  const conflicts = await findExisting(work);
  if (!(await chunks.remember(delivery, "x", JSON.stringify([...conflicts])))) throw new Superseded();
  return conflicts;
}

/** True where the object was decided upon. */
export function decideConflict(
  work: ChunkWork,
  conflicts: Conflicts,
  { index, pin }: { index: number; pin: Pin },
): boolean {
  const existing = conflicts.get(index);
  const { onConflict, destination } = work.spec;
  if (existing === undefined || onConflict === "overwrite") return false;
  const name = `s3://${destination?.bucket ?? ""}/${destinationKeyAt(work, index) ?? ""}`;
  if (onConflict === "skip-identical") {
    if (existing.etag !== pin.etag || existing.size !== pin.size || !isContentEtag(pin.etag)) return false;
    work.outcomes.skipped(index, { code: "Identical", message: `Identical: ${name} has this content already` });
    return true;
  }
  const remark = { code: "DestinationExists", message: `DestinationExists: ${name} is there already`, httpStatus: 412 };
  if (onConflict === "skip") work.outcomes.skipped(index, remark);
  else work.outcomes.failed(index, remark);
  return true;
}

/** Which open objects have one at their destination. */
export async function findExisting(work: ChunkWork): Promise<Map<number, { etag: string; size: number }>> {
  return await findThere(work, openIndexes(work));
}

/** What lies at the destinations of objects: by listing beside the source where keys keep their order, else one by one. */
export async function findThere(
  work: ChunkWork,
  indexes: readonly number[],
): Promise<Map<number, { etag: string; size: number }>> {
  const wanted = new Map<string, number>();
  for (const index of indexes) {
    const key = destinationKeyAt(work, index);
    if (key !== undefined) wanted.set(key, index);
  }
  const found = new Map<number, { etag: string; size: number }>();
  const rest = prefixSource(work.spec) === undefined ? [...wanted.values()] : await listExisting(work, wanted, found);
  await runLanes(rest, work.concurrency, async (index) => {
    const { destination, spec, signal } = work;
    const target = { bucket: spec.destination?.bucket ?? "", key: destinationKeyAt(work, index) ?? "" };
    const there = await patiently(() => destination.find(target, { signal }), signal);
    if (there !== undefined) found.set(index, { etag: there.etag, size: there.size });
    return true;
  });
  return found;
}

/** Answers the objects that the listing did not get to. */
async function listExisting(
  work: ChunkWork,
  wanted: ReadonlyMap<string, number>,
  found: Map<number, { etag: string; size: number }>,
): Promise<number[]> {
  const { destination, spec, signal } = work;
  const keys = [...wanted.keys()];
  const [first, last] = [keys[0], keys.at(-1)];
  if (first === undefined || last === undefined) return [];
  const bucket = spec.destination?.bucket ?? "";
  const prefix = spec.destination?.prefix ?? prefixSource(spec)?.prefix ?? "";
  // One character less, and not one half of a surrogate pair, sorts before the key itself, which `startAfter` would leave out.
  let startAfter = first.replace(/.$/su, "");
  for (let page = 0; page < MAX_PAGES; page++) {
    const listed = await ifAllowed(() =>
      destination.listPage({ bucket, prefix, ...(startAfter !== "" && { startAfter }) }, { signal }),
    );
    // A policy may let write what it does not let list.
    if (listed === undefined) return [...wanted.values()];
    const { objects, next } = listed;
    for (const { key, etag, size } of objects) {
      // A store without order, or that ignores startAfter: nothing can be concluded from what is missing.
      if (compareKeys(key, startAfter) <= 0) return [...wanted.values()];
      startAfter = key;
      const index = wanted.get(key);
      if (index !== undefined) found.set(index, { etag, size });
    }
    if (next === undefined || compareKeys(startAfter, last) >= 0) return [];
    if (objects.length === 0) break;
  }
  return keys.filter((key) => compareKeys(key, startAfter) > 0).map((key) => wanted.get(key) ?? 0);
}

async function ifAllowed<Result>(run: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof ActivityError && error.code === "PolicyDenied") return undefined;
    throw error;
  }
}
