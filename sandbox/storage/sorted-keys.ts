import { compareKeys, firstIndex } from "./key-order.ts";

/**
 * The keys of a bucket in S3's order, kept lazily: additions gather until the next listing, removals leave a gap. A listing
 * that runs beside a batch of deletes or copies therefore costs the page, not a sort of the bucket.
 */
export class SortedKeys {
  #sorted: string[] = [];
  #added: string[] = [];
  #removed = new Set<string>();

  /** The key must not be present. */
  add(key: string): void {
    if (!this.#removed.delete(key)) this.#added.push(key);
  }

  /** The key must be present. */
  remove(key: string): void {
    this.#removed.add(key);
    const total = this.#sorted.length + this.#added.length;
    if (this.#removed.size > 1000 && this.#removed.size * 2 > total) this.#compact();
  }

  /** All keys in order. Removed ones may still be among them: look each up. */
  all(): readonly string[] {
    if (this.#added.length > 0) this.#merge();
    return this.#sorted;
  }

  #compact(): void {
    const removed = this.#removed;
    this.#removed = new Set();
    this.#sorted = this.#sorted.filter((key) => !removed.has(key));
    this.#added = this.#added.filter((key) => !removed.has(key));
  }

  #merge(): void {
    const added = this.#added.toSorted(compareKeys);
    this.#added = [];
    const old = this.#sorted;
    if (old.length === 0) {
      this.#sorted = added;
      return;
    }
    const merged: string[] = [];
    let from = 0;
    for (const key of added) {
      const to = from + firstIndex(old.length - from, (i) => compareKeys(old[from + i]!, key) > 0);
      for (; from < to; from++) merged.push(old[from]!);
      merged.push(key);
    }
    for (; from < old.length; from++) merged.push(old[from]!);
    this.#sorted = merged;
  }
}
