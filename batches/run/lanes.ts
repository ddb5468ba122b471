/**
 * Works through a list with so many at once. The first failure stops all lanes, and is thrown when they have come to rest: nothing goes on behind.
 *
 * @param next false ends the lane that asked
 */
export async function runLanes(
  indexes: readonly number[],
  lanes: number,
  next: (index: number) => Promise<boolean>,
): Promise<void> {
  let position = 0;
  let failure: { readonly error: unknown } | undefined;
  const lane = async (): Promise<void> => {
    while (failure === undefined && position < indexes.length) {
      const index = indexes[position++];
      if (index === undefined) return;
      try {
        if (!(await next(index))) return;
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, indexes.length) }, lane));
  if (failure !== undefined) throw failure.error;
}
