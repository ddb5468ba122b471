/** Answers of the last `ms` milliseconds are given again; those under way are waited for together. A failure is not kept. */
export function keptFor<T>(ms: number, read: () => Promise<T>): () => Promise<T> {
  let at = -Infinity;
  let last: Promise<T> | undefined;
  return () => {
    if (last !== undefined && performance.now() - at < ms) return last;
    at = performance.now();
    const reading = read();
    last = reading;
    reading.catch(() => {
      if (last === reading) last = undefined;
    });
    return reading;
  };
}

/** More than anybody looks at at once; beyond it what is stale is let go of. */
const MANY = 100;

/** As {@link keptFor}, for each key by itself: however many streams show one batch, Redis is asked once for all of them. */
export function keptForEach<T>(ms: number, read: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const kept = new Map<string, { readonly get: () => Promise<T>; usedAt: number }>();
  return (key) => {
    const now = performance.now();
    const entry = kept.get(key) ?? { get: keptFor(ms, () => read(key)), usedAt: now };
    entry.usedAt = now;
    kept.set(key, entry);
    if (kept.size > MANY) for (const [name, { usedAt }] of kept) if (now - usedAt > ms) kept.delete(name);
    return entry.get();
  };
}
