/** Whether an error says that something of another type lies under a name of ours: another program's hand, and no trouble of Redis. */
export function isForeign(error: unknown): boolean {
  return error instanceof Error && /\bWRONGTYPE\b/.test(error.message);
}

/** What is read, or `instead` where somebody put something of another type in its place: one thing that cannot be read hides no other. */
export async function unlessForeign<Found>(reading: Promise<Found>, instead: Found): Promise<Found> {
  try {
    return await reading;
  } catch (error) {
    if (isForeign(error)) return instead;
    throw error;
  }
}
