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
