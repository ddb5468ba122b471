/** How far one digest of a file is, and what each of them still needs. */
export type HashTurn = {
  /** Milliseconds that each digest still needs for what is written. */
  readonly needed: ArrayLike<number>;
  /** Which of them this one is. */
  readonly index: number;
  readonly at: number;
  readonly upTo: number;
};

/** Bytes that a digest may be behind: they are to be in the page cache still. */
const FURTHEST_BEHIND = 512 * 1024 ** 2;

/**
 * Whether a digest may wait, because another one of the file has more to do. MD5 takes twice as long as SHA-256 and is what everybody waits for
 * in the end: on a machine with few cores the quicker one does its part then, beside it, and leaves the core to those who bring the bytes before.
 * Each begins at once, which tells how fast it is.
 */
export function mayWait({ needed, index, at, upTo }: HashTurn): boolean {
  const mine = needed[index] ?? 0;
  return at > 0 && upTo - at < FURTHEST_BEHIND && Array.from(needed).some((other) => other > mine);
}
