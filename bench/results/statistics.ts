/** The middle value; the mean of the two middle ones of an even number. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The median of the ratios of each round: what slows a whole round down slows both sides. */
export function pairedRatio(measured: readonly number[], beside: readonly number[]): number {
  return median(measured.map((value, round) => value / (beside[round] ?? Number.NaN)));
}
