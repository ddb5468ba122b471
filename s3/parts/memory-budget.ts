/** Bytes that the parts of all transfers of one store may hold in memory together. */
export type MemoryBudget = {
  /** Whether so many bytes were free; they are taken then, until given back. */
  tryTake(bytes: number): boolean;
  give(bytes: number): void;
};

/**
 * Shared by all transfers, so that many large ones at once do not add up. A transfer never waits for it: its next part always goes on,
 * and only those ahead of it need room.
 */
export function createMemoryBudget(limit: number): MemoryBudget {
  let taken = 0;
  return {
    tryTake(bytes) {
      if (taken + bytes > limit) return false;
      taken += bytes;
      return true;
    },
    give(bytes) {
      taken -= bytes;
    },
  };
}
