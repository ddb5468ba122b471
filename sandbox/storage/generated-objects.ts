import { bodyMd5, patternBody } from "./body.ts";
import { compareKeys, firstIndex } from "./key-order.ts";
import { seedOf } from "./pattern.ts";
import { nowInSeconds, PLAIN_FACTS, type ObjectFacts, type StoredObject } from "./stored-object.ts";

/**
 * Objects that are there without being kept.
 *
 * @example
 * import { type GenerateOptions, startSandbox } from "bucketline/sandbox";
 *
 * const options: GenerateOptions = { count: 1_000_000 };
 * await using sandbox = await startSandbox();
 * sandbox.createBucket("in");
 * sandbox.generate("in", options);
 */
export type GenerateOptions = {
  /** How many objects. Memory: one bit each. */
  count: number;
  /** Prefix of the default keys, `<prefix>000000017.bin`. Default: none. */
  prefix?: string;
  /** Bytes of every object, or of the i-th. Up to 5 TiB; the content is computed when read. Default 1,024. */
  size?: number | ((index: number) => number);
  /** The i-th key. Keys must be distinct and in UTF-8 binary order. Default: prefix, nine digits, `.bin`. */
  key?: (index: number) => string;
  contentType?: string;
  metadata?: Record<string, string>;
  storageClass?: string;
  /** ETags of this many parts (`<md5>-N`), as multipart uploads have. Default: single-part ETags. */
  parts?: number;
};

/** A run of objects that exist only as a rule. Deleted and overwritten ones are remembered as one bit each. */
export class GeneratedObjects {
  readonly length: number;
  readonly #options: GenerateOptions;
  readonly #gone: Uint8Array;
  readonly #facts: ObjectFacts;
  readonly #lastModified = nowInSeconds();
  readonly #prefix: string;
  #goneCount = 0;

  constructor(options: GenerateOptions) {
    this.length = options.count;
    this.#options = options;
    this.#prefix = options.prefix ?? "";
    this.#gone = new Uint8Array(Math.ceil(options.count / 8));
    this.#facts = {
      ...PLAIN_FACTS,
      headers: { "content-type": options.contentType ?? "binary/octet-stream" },
      metadata: options.metadata ?? {},
      storageClass: options.storageClass ?? "STANDARD",
    };
    this.#checkOrder();
  }

  /** Objects that are neither deleted nor overwritten. */
  get alive(): number {
    return this.length - this.#goneCount;
  }

  keyAt(index: number): string {
    return this.#options.key?.(index) ?? `${this.#prefix}${String(index).padStart(9, "0")}.bin`;
  }

  /** The object, or undefined when it was deleted or overwritten. */
  objectAt(index: number): StoredObject | undefined {
    return this.#isGone(index) ? undefined : this.#make(index, this.keyAt(index));
  }

  get(key: string): StoredObject | undefined {
    const index = this.#indexOf(key);
    return index === undefined || this.#isGone(index) ? undefined : this.#make(index, key);
  }

  /** Marks an object as deleted or overwritten. */
  remove(key: string): boolean {
    const index = this.#indexOf(key);
    if (index === undefined || this.#isGone(index)) return false;
    this.#gone[index >>> 3]! |= 1 << (index & 7);
    this.#goneCount++;
    return true;
  }

  #make(index: number, key: string): StoredObject {
    const { size = 1024, parts } = this.#options;
    const body = patternBody(seedOf(key), typeof size === "number" ? size : size(index));
    const md5 = bodyMd5(body);
    return {
      key,
      body,
      etag: parts === undefined ? md5 : `${md5}-${parts}`,
      lastModified: this.#lastModified,
      facts: this.#facts,
    };
  }

  #isGone(index: number): boolean {
    return ((this.#gone[index >>> 3] ?? 0) & (1 << (index & 7))) !== 0;
  }

  #indexOf(key: string): number | undefined {
    let index: number;
    if (this.#options.key === undefined) {
      if (key.length < this.#prefix.length + 13 || !key.startsWith(this.#prefix)) return undefined;
      index = Number(key.slice(this.#prefix.length, -4));
    } else {
      index = firstIndex(this.length, (i) => compareKeys(this.keyAt(i), key) >= 0);
    }
    return index >= 0 && index < this.length && this.keyAt(index) === key ? index : undefined;
  }

  #checkOrder(): void {
    const step = Math.max(1, Math.floor(this.length / 1000));
    for (let i = step; i < this.length; i += step) {
      if (compareKeys(this.keyAt(i - step), this.keyAt(i)) >= 0) {
        throw new RangeError(
          `generate: keys must be in UTF-8 binary order, but key(${i}) = ${JSON.stringify(this.keyAt(i))} comes too late`,
        );
      }
    }
  }
}
