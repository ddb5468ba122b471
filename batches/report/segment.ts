/** Names one chunk of one batch. */
export type SegmentRef = { readonly batch: string; readonly chain: number; readonly n: number };

/** The document that holds the rows of a chunk. A later delivery writes one of its own, so that what was counted is never replaced. */
export function segmentId({ batch, chain, n }: SegmentRef, delivery: number): string {
  return `batch-${batch}-${chain}-${n}-${delivery}`;
}

/** The document that holds what a dry run planned for a chunk. Every delivery writes the same. */
export function planId({ batch, chain, n }: SegmentRef): string {
  return `batch-${batch}-plan-${chain}-${n}`;
}

/** What a batch may last and still have its report for the whole retention after its end, in seconds. */
const MOST_RUN_S = 30 * 24 * 3600;

/** Seconds for which a document of a batch is kept from when it is written: `retention` counts from the batch's end, which nobody knows by then. */
export function documentTtl({ retention }: { readonly retention: number }): number {
  return retention + MOST_RUN_S;
}
