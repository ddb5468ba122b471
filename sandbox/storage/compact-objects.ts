import { droppedBody, patternBody, type Body } from "./body.ts";
import type { ObjectFacts, StoredObject } from "./stored-object.ts";

const PATTERN = 1;
const DROPPED = 2;
const ETAG = /^[0-9a-f]{32}$/;

/**
 * Objects of a sink bucket as columns of numbers, about 40 bytes each beside the key: a million copies fit where a million
 * objects would not. Holds only plain ones (one computed or dropped extent, no tags, no versions); `set` refuses the rest.
 */
export class CompactObjects {
  readonly #slots = new Map<string, number>();
  readonly #free: number[] = [];
  readonly #facts: ObjectFacts[] = [];
  readonly #factsIndex = new Map<string, number>();
  #lastFacts: { facts: ObjectFacts; index: number } | undefined;
  #used = 0;
  #kind = new Uint8Array(1024);
  #factsOf = new Uint16Array(1024);
  #seed = new Uint32Array(1024);
  #size = new Float64Array(1024);
  #modified = new Float64Array(1024);
  #etag = Buffer.alloc(1024 * 16);

  get size(): number {
    return this.#slots.size;
  }

  has(key: string): boolean {
    return this.#slots.has(key);
  }

  get(key: string): StoredObject | undefined {
    const slot = this.#slots.get(key);
    if (slot === undefined) return undefined;
    const size = this.#size[slot]!;
    return {
      key,
      body: this.#kind[slot] === PATTERN ? patternBody(this.#seed[slot]!, size) : droppedBody(size),
      etag: this.#etag.toString("hex", slot * 16, slot * 16 + 16),
      lastModified: this.#modified[slot]!,
      facts: this.#facts[this.#factsOf[slot]!]!,
    };
  }

  /** Keeps the object if it is plain enough; else answers false and changes nothing. */
  set(object: StoredObject): boolean {
    const shape = shapeOf(object.body);
    if (shape === undefined || !ETAG.test(object.etag) || isSpecial(object)) return false;
    const facts = this.#internFacts(object.facts);
    if (facts === undefined) return false;
    const slot = this.#slots.get(object.key) ?? this.#newSlot(object.key);
    this.#kind[slot] = shape.kind;
    this.#seed[slot] = shape.seed;
    this.#factsOf[slot] = facts;
    this.#size[slot] = object.body.size;
    this.#modified[slot] = object.lastModified;
    this.#etag.write(object.etag, slot * 16, 16, "hex");
    return true;
  }

  delete(key: string): void {
    const slot = this.#slots.get(key);
    if (slot === undefined) return;
    this.#slots.delete(key);
    this.#free.push(slot);
  }

  #newSlot(key: string): number {
    const slot = this.#free.pop() ?? this.#used++;
    if (slot >= this.#kind.length) this.#grow();
    this.#slots.set(key, slot);
    return slot;
  }

  #internFacts(facts: ObjectFacts): number | undefined {
    if (this.#lastFacts?.facts === facts) return this.#lastFacts.index;
    const name = JSON.stringify(facts);
    let index = this.#factsIndex.get(name);
    if (index === undefined) {
      if (this.#facts.length === 65_536) return undefined;
      index = this.#facts.push(facts) - 1;
      this.#factsIndex.set(name, index);
    }
    this.#lastFacts = { facts, index };
    return index;
  }

  #grow(): void {
    const length = this.#kind.length * 2;
    this.#kind = copyInto(new Uint8Array(length), this.#kind);
    this.#factsOf = copyInto(new Uint16Array(length), this.#factsOf);
    this.#seed = copyInto(new Uint32Array(length), this.#seed);
    this.#size = copyInto(new Float64Array(length), this.#size);
    this.#modified = copyInto(new Float64Array(length), this.#modified);
    const etag = Buffer.alloc(length * 16);
    this.#etag.copy(etag);
    this.#etag = etag;
  }
}

function copyInto<T extends { set(from: T): void }>(to: T, from: T): T {
  to.set(from);
  return to;
}

function isSpecial(object: StoredObject): boolean {
  return (
    object.tags !== undefined ||
    object.checksum !== undefined ||
    object.parts !== undefined ||
    object.versionId !== undefined ||
    object.previous !== undefined ||
    object.deleteMarker === true ||
    object.acl !== undefined ||
    object.retention !== undefined ||
    object.legalHold !== undefined ||
    object.restored !== undefined
  );
}

function shapeOf(body: Body): { kind: number; seed: number } | undefined {
  const [extent, more] = body.extents;
  if (extent === undefined || more !== undefined) return undefined;
  if (extent.kind === "pattern" && extent.offset === 0) return { kind: PATTERN, seed: extent.seed };
  if (extent.kind === "dropped") return { kind: DROPPED, seed: 0 };
  return undefined;
}
