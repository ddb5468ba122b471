import { randomBytes } from "node:crypto";

/**
 * Every write of a document makes a generation under a name of its own, and the one that sorts last is the document. So replacing is
 * one atomic step, and whoever removes an old generation (a reader, the sweeper) can never hit a newer one by mistake.
 * Older generations are always removed first: what was replaced must not come back when its successor goes.
 */
const GENERATION = /^(\d{10})-([0-9a-f]{16})$/;

/** 64 random bits: two writers that count alike at the same moment still differ. */
export function newNonce(): string {
  return randomBytes(8).toString("hex");
}

/** The name after `newest`, for the write with this nonce. */
export function nextGeneration(newest: string | undefined, nonce: string): string {
  const count = newest === undefined ? 0 : (parseGeneration(newest)?.count ?? 0);
  return `${String(count + 1).padStart(10, "0")}-${nonce}`;
}

/** `undefined` for a name that is none of ours. */
export function parseGeneration(name: string): { readonly count: number; readonly nonce: string } | undefined {
  const [, count, nonce] = GENERATION.exec(name) ?? [];
  return count === undefined || nonce === undefined ? undefined : { count: Number(count), nonce };
}
