import { randomBytes } from "node:crypto";
import { EMPTY_BODY } from "./body.ts";
import type { Quirks } from "../options.ts";
import type { BucketSettings } from "./bucket-settings.ts";
import { CompactObjects } from "./compact-objects.ts";
import { FoldedNames } from "./folded-names.ts";
import { GeneratedObjects, type GenerateOptions } from "./generated-objects.ts";
import { SortedKeys } from "./sorted-keys.ts";
import { nowInSeconds, PLAIN_FACTS, versionName, type StoredObject } from "./stored-object.ts";

export type Versioning = "Enabled" | "Suspended" | undefined;

/** A run of keys in S3's order, for listings. */
export type KeyRun = {
  length: number;
  keyAt(index: number): string;
  /** The newest version, or undefined when the key is gone. */
  headAt(index: number): StoredObject | undefined;
};

export type BucketOptions = {
  name: string;
  region: string;
  account: string;
  sharedWith?: readonly string[];
  versioning?: Versioning;
  /** Keep facts, not bodies. */
  sink?: boolean;
  quirks: Quirks;
  settings?: BucketSettings;
};

/** What every object gets under the quirk `constantEtags`: well formed, and of no use. */
const CONSTANT_ETAG = "00000000000000000000000000000000";

type Detachable = "retention" | "restored";

/** One bucket: its objects, their versions, and what was generated into it. */
export class Bucket {
  readonly name: string;
  readonly region: string;
  readonly account: string;
  readonly sharedWith: readonly string[];
  readonly created = nowInSeconds();
  readonly sink: boolean;
  readonly settings: BucketSettings;
  versioning: Versioning;
  /** Some object belongs to another account than the bucket. */
  hasForeignObjects = false;
  readonly #objects = new Map<string, StoredObject>();
  readonly #compact: CompactObjects | undefined;
  readonly #sorted = new SortedKeys();
  readonly #generated: GeneratedObjects[] = [];
  readonly #quirks: Quirks;
  #names: FoldedNames | undefined;
  #markers = 0;

  constructor(options: BucketOptions) {
    this.name = options.name;
    this.region = options.region;
    this.account = options.account;
    this.sharedWith = options.sharedWith ?? [];
    this.versioning = options.versioning;
    this.sink = options.sink ?? false;
    this.settings = options.settings ?? {};
    this.#quirks = options.quirks;
    this.#compact = this.sink ? new CompactObjects() : undefined;
  }

  /** Objects whose newest version is no delete marker. */
  get count(): number {
    const generated = this.#generated.reduce((sum, run) => sum + run.alive, 0);
    return this.#objects.size + (this.#compact?.size ?? 0) + generated - this.#markers;
  }

  /** True when not even an old version or a delete marker is left. */
  get isEmpty(): boolean {
    return this.count === 0 && this.#objects.size === 0;
  }

  generate(options: GenerateOptions): void {
    this.#generated.push(new GeneratedObjects(options));
  }

  /** The newest version, which may be a delete marker. */
  head(name: string): StoredObject | undefined {
    const key = this.#keyOf(name);
    const stored = this.#objects.get(key) ?? this.#compact?.get(key);
    if (stored !== undefined) return stored;
    for (const run of this.#generated) {
      const object = run.get(key);
      if (object !== undefined) return object;
    }
    return undefined;
  }

  /** The newest version, unless it is a delete marker. */
  current(key: string): StoredObject | undefined {
    const object = this.head(key);
    return object?.deleteMarker ? undefined : object;
  }

  version(key: string, versionId: string): StoredObject | undefined {
    for (let object = this.head(key); object !== undefined; object = object.previous) {
      if (versionName(object) === versionId) return object;
    }
    return undefined;
  }

  /** Stores a new version (or replaces the object where versioning is off) and returns it with its version id. */
  put(given: StoredObject): StoredObject {
    const object = this.#asKept(given);
    if (object.acl !== undefined && object.acl.owner !== this.account) this.hasForeignObjects = true;
    if (this.versioning === undefined) {
      this.#setHead(object.key, object);
      return object;
    }
    const previous = this.#withoutNullVersion(this.head(object.key));
    const stored: StoredObject = { ...object, versionId: this.versioning === "Enabled" ? newVersionId() : "null" };
    if (previous !== undefined) stored.previous = previous;
    this.#setHead(object.key, stored);
    return stored;
  }

  /** Deletes the current version, as a request without a version id does. Returns the delete marker where one was made. */
  delete(key: string): StoredObject | undefined {
    if (this.versioning === undefined) {
      this.#setHead(this.#keyOf(key), undefined);
      return undefined;
    }
    return this.put({
      key,
      body: EMPTY_BODY,
      etag: "",
      lastModified: nowInSeconds(),
      facts: PLAIN_FACTS,
      deleteMarker: true,
    });
  }

  /** Removes one version for good and returns it. */
  deleteVersion(key: string, versionId: string): StoredObject | undefined {
    const chain = this.versions(key);
    const found = chain.find((object) => versionName(object) === versionId);
    if (found !== undefined) this.#setHead(found.key, link(chain.filter((object) => object !== found)));
    return found;
  }

  /** All versions of a key, newest first, delete markers included. */
  versions(key: string): StoredObject[] {
    const chain: StoredObject[] = [];
    for (let object = this.head(key); object !== undefined; object = object.previous) chain.push(object);
    return chain;
  }

  /** Changes a stored version in place: tags, ACL, locks. `without` names what it loses. */
  update(object: StoredObject, change: Partial<StoredObject>, without: readonly Detachable[] = []): void {
    const changed = this.versions(object.key).map((one) => {
      if (versionName(one) !== versionName(object)) return one;
      const copy = { ...one, ...change };
      for (const name of without) delete copy[name];
      return copy;
    });
    this.#setHead(object.key, link(changed));
  }

  /** The key under which an object of that name is kept: the name itself, save on stores that fold names. */
  #keyOf(name: string): string {
    const { foldedKeys } = this.#quirks;
    if (foldedKeys === undefined) return name;
    if (this.#names?.folding !== foldedKeys) this.#names = new FoldedNames(foldedKeys, this.#objects.keys());
    return this.#names.keyOf(name);
  }

  #asKept(object: StoredObject): StoredObject {
    const { constantEtags, foldedKeys } = this.#quirks;
    if (foldedKeys === undefined && constantEtags !== true) return object;
    return { ...object, key: this.#keyOf(object.key), etag: constantEtags ? CONSTANT_ETAG : object.etag };
  }

  runs(): KeyRun[] {
    const keys = this.#sorted.all();
    const runs: KeyRun[] = this.#generated.map((run) => ({
      length: run.length,
      keyAt: (index) => run.keyAt(index),
      headAt: (index) => run.objectAt(index),
    }));
    runs.push({
      length: keys.length,
      keyAt: (index) => keys[index]!,
      headAt: (index) => this.#objects.get(keys[index]!) ?? this.#compact?.get(keys[index]!),
    });
    return runs;
  }

  #withoutNullVersion(head: StoredObject | undefined): StoredObject | undefined {
    if (this.versioning !== "Suspended" || head === undefined) return head;
    return link(this.versions(head.key).filter((object) => versionName(object) !== "null"));
  }

  #setHead(key: string, object: StoredObject | undefined): void {
    const old = this.#objects.get(key);
    const wasPresent = old !== undefined || (this.#compact?.has(key) ?? false);
    if (!wasPresent) for (const run of this.#generated) run.remove(key);
    if (old?.deleteMarker) this.#markers--;
    if (object === undefined) {
      this.#compact?.delete(key);
      this.#objects.delete(key);
      this.#names?.forget(key);
      if (wasPresent) this.#sorted.remove(key);
      return;
    }
    if (object.deleteMarker) this.#markers++;
    this.#names?.keep(key);
    if (!wasPresent) this.#sorted.add(key);
    if (this.#compact?.set(object)) {
      this.#objects.delete(key);
    } else {
      this.#compact?.delete(key);
      this.#objects.set(key, object);
    }
  }
}

function link(chain: readonly StoredObject[]): StoredObject | undefined {
  let next: StoredObject | undefined;
  for (const object of chain.toReversed()) {
    const copy = { ...object };
    delete copy.previous;
    if (next !== undefined) copy.previous = next;
    next = copy;
  }
  return next;
}

function newVersionId(): string {
  return randomBytes(24).toString("base64url");
}
