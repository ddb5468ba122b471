const MIB = 1024 * 1024;
/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const MAX_PARTS = 10_000;

/** Bytes of each part but the last: the least that is wanted, or as many as an object of this size needs to fit into 10,000 parts. */
export function partSizeFor(size: number, least: number): number {
  const needed = Math.ceil(size / MAX_PARTS);
  return needed <= least ? least : Math.ceil(needed / MIB) * MIB;
}
