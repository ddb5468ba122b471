import type { KeyFolding } from "../options.ts";

/** The names of a bucket on a store that takes several names for one, as file systems below some gateways do. */
export class FoldedNames {
  readonly folding: readonly KeyFolding[];
  /** By folded case, the spelling that came first. */
  readonly #spellings = new Map<string, string>();

  constructor(folding: readonly KeyFolding[], keys: Iterable<string>) {
    this.folding = folding;
    for (const key of keys) this.keep(key);
  }

  /** The key for a name. */
  keyOf(name: string): string {
    let key = name;
    if (this.folding.includes("slashes")) key = key.replace(/\/{2,}/g, "/");
    if (this.folding.includes("unicode")) key = key.normalize("NFC");
    return this.#spellings.get(key.toLowerCase()) ?? key;
  }

  /** An object is kept under this key: from now on its spelling is the one. */
  keep(key: string): void {
    if (this.folding.includes("case")) this.#spellings.set(key.toLowerCase(), key);
  }

  /** The object is gone: its next writer chooses the spelling. */
  forget(key: string): void {
    this.#spellings.delete(key.toLowerCase());
  }
}
