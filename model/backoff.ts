/** Milliseconds before try `tries + 1`: doubles from `base` to `max`, with jitter over its upper half. */
export function backoff(tries: number, { base, max }: { readonly base: number; readonly max: number }): number {
  const ceiling = Math.min(max, base * 2 ** Math.min(tries - 1, 16));
  return Math.round(ceiling / 2 + (Math.random() * ceiling) / 2);
}
