/** A seeded sequence, so that a run can be repeated. */
export type Random = {
  /** From 0 up to, not including, 1. */
  next(): number;
  /** Both ends included. */
  integer(min: number, max: number): number;
  between(min: number, max: number): number;
  pick<Item>(items: readonly Item[]): Item;
  /** So many different ones, in random order. */
  sample<Item>(items: readonly Item[], count: number): Item[];
  /** A sequence of its own, so that what draws from it does not depend on when others draw. */
  fork(name: string): Random;
};

/** mulberry32: small, and good enough to pick what goes wrong. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const integer = (min: number, max: number) => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    integer,
    between: (min, max) => min + next() * (max - min),
    pick(items) {
      const item = items[integer(0, items.length - 1)];
      if (item === undefined) throw new RangeError("expected something to pick from");
      return item;
    },
    sample(items, count) {
      const left = [...items];
      return Array.from({ length: Math.min(count, left.length) }, () => {
        const at = integer(0, left.length - 1);
        const [item] = left.splice(at, 1, left.at(-1)!); // `at` is within the list
        left.pop();
        return item!; // as above
      });
    },
    fork(name) {
      let hash = seed;
      for (const char of name) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
      return createRandom(hash);
    },
  };
}
