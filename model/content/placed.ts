import type { DigestKind } from "./digest.ts";

/** Bytes from `start` up to, not including, `end`. */
export type Span = { readonly start: number; readonly end: number };

/** Takes bytes that lie one behind the other, the first of them at `at`. No two calls are about the same byte. */
export type Place = (chunks: readonly Uint8Array[], at: number) => Promise<void>;

/** Content whose pieces come several at once and in no order, each of them with its place: a large object in ranges. */
export type PlacedContent = {
  /** Bytes of the whole. */
  readonly size: number;
  /** Told as soon as it is known what will be there when it is to deliver, so that nothing of that comes meanwhile. What is there then may be less. */
  expect?(have: readonly Span[]): void;
  /**
   * Hands over every byte outside of `have`. Resolves when all are placed; when it rejects, nothing of it is under way any more.
   *
   * @param have what is there already, in order and apart
   */
  deliver(have: readonly Span[], place: Place): Promise<void>;
  /** Lets go of what it comes from, where nothing was or will be delivered. */
  release(): void;
  /** How the whole is compared with what its origin says of it; absent where that says nothing. */
  readonly comparison?: {
    readonly kind: DigestKind;
    /** Throws `VerificationFailed` where the digest is not that of the content. */
    check(digest: string): Promise<void>;
  };
};
