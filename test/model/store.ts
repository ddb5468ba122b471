import { createHash } from "node:crypto";
import { timeOfDay } from "./clock.ts";
import { bytesOf, type Generation, nameOf, type Place } from "./generation.ts";
import type { Witness } from "./judge/witness.ts";

export type Versioning = "off" | "on" | "suspended";

/** Which conditions the store enforces. */
export type Enforced = {
  readonly copySource: boolean;
  readonly write: boolean;
  readonly delete: boolean;
  readonly multiDelete: boolean;
};

export class Refused extends Error {
  readonly $metadata: { httpStatusCode: number; requestId: string };
  constructor(name: string, status: number) {
    super(name);
    this.name = name;
    this.$metadata = { httpStatusCode: status, requestId: "model" };
  }
}

type Copying = {
  readonly from: Place;
  readonly versionId: string | undefined;
  readonly ifMatch: string | undefined;
  readonly to: Place;
  readonly ifNoneMatch: boolean;
};

type Deleting = {
  readonly versionId?: string | undefined;
  readonly ifMatch?: string | undefined;
  /** One of those that a DeleteObjects names. */
  readonly bulk?: boolean;
};

type Written = Pick<Generation, "payload" | "by" | "marker">;

/** S3 as far as moves, copies and deletes go: the versions of a few objects. A request takes effect at once; its witness is told. */
export class ModelStore {
  readonly versioning: Versioning;
  readonly enforced: Enforced;
  readonly witness: Witness;
  readonly #keys: readonly string[];
  readonly #objects = new Map<string, { readonly place: Place; versions: Generation[] }>();
  #ids = 0;

  /** @param options `keys` are all that there may be: a listing also tells what is not there */
  constructor(options: {
    readonly versioning: Versioning;
    readonly enforced: Enforced;
    readonly witness: Witness;
    readonly keys: readonly string[];
  }) {
    this.versioning = options.versioning;
    this.enforced = options.enforced;
    this.witness = options.witness;
    this.#keys = options.keys;
  }

  current(place: Place): Generation | undefined {
    const top = this.#objects.get(nameOf(place))?.versions.at(-1);
    return top === undefined || top.marker ? undefined : top;
  }

  /** Every generation that can still be read, by a version where not by its key. */
  *all(): Generator<readonly [Place, Generation]> {
    for (const { place, versions } of this.#objects.values())
      for (const one of versions) if (!one.marker) yield [place, one];
  }

  write(place: Place, payload: string, by: string): Generation {
    return this.#write(place, { payload, by, marker: false });
  }

  /** A version of a bucket that had some before they were suspended. */
  writeVersion(place: Place, payload: string): void {
    const id = ++this.#ids;
    const made = generationOf(id, `v${id}`, { payload, by: "owner", marker: false });
    this.#at(place).versions.push(made);
    this.witness.wrote(place, made);
  }

  head(place: Place, versionId: string | undefined): Generation {
    const found = this.#find(place, versionId);
    if (versionId === undefined) this.witness.looked(place, found);
    if (found === undefined) throw new Refused(versionId === undefined ? "NoSuchKey" : "NoSuchVersion", 404);
    return found;
  }

  list(bucket: string, { prefix, after, max }: { prefix: string; after: string; max: number }) {
    const found = [...this.#objects.values()]
      .filter(({ place }) => place.bucket === bucket && place.key.startsWith(prefix) && place.key > after)
      .toSorted((one, other) => (one.place.key < other.place.key ? -1 : 1));
    for (const key of this.#keys) this.witness.looked({ bucket, key }, this.current({ bucket, key }));
    const there = found.flatMap(({ place }) => {
      const top = this.current(place);
      return top === undefined ? [] : [{ key: place.key, object: top }];
    });
    return { page: there.slice(0, max), more: there.length > max };
  }

  copy({ from, versionId, ifMatch, to, ifNoneMatch }: Copying, by: string): Generation {
    const source = this.#find(from, versionId);
    if (source === undefined) throw new Refused("NoSuchKey", 404);
    if (this.enforced.copySource && ifMatch !== undefined && source.etag !== ifMatch)
      throw new Refused("PreconditionFailed", 412);
    if (this.enforced.write && ifNoneMatch && this.current(to) !== undefined)
      throw new Refused("PreconditionFailed", 412);
    return this.write(to, source.payload, by);
  }

  delete(place: Place, { versionId, ifMatch, bulk = false }: Deleting, by: string): void {
    const enforces = bulk ? this.enforced.multiDelete : this.enforced.delete;
    const now = this.current(place);
    if (enforces && ifMatch !== undefined && now !== undefined && now.etag !== ifMatch)
      throw new Refused("PreconditionFailed", 412);
    if (versionId !== undefined || this.versioning === "off") this.#remove(place, versionId, by);
    else if (now !== undefined) this.#write(place, { payload: "", by, marker: true });
  }

  /** For good: a version, or where there are none the object. */
  #remove(place: Place, versionId: string | undefined, by: string): void {
    const held = this.#at(place);
    const lost = held.versions.filter((one) => this.versioning === "off" || one.versionId === versionId);
    held.versions = held.versions.filter((one) => !lost.includes(one));
    for (const one of lost) if (!one.marker) this.witness.destroyed(place, one, by, "delete");
  }

  /** On top; what has no version of its own is replaced. */
  #write(place: Place, written: Written): Generation {
    const held = this.#at(place);
    const id = ++this.#ids;
    const made = generationOf(id, this.#versionOf(id), written);
    const replaced =
      this.versioning === "on" ? [] : held.versions.filter(({ versionId }) => versionId === made.versionId);
    held.versions = [...held.versions.filter((one) => !replaced.includes(one)), made];
    const how = made.marker ? "delete" : made;
    for (const one of replaced) if (!one.marker) this.witness.destroyed(place, one, made.by, how);
    if (!made.marker) this.witness.wrote(place, made);
    return made;
  }

  #versionOf(id: number): string | undefined {
    if (this.versioning === "off") return undefined;
    return this.versioning === "on" ? `v${id}` : "null";
  }

  #at(place: Place) {
    const held = this.#objects.get(nameOf(place)) ?? { place, versions: [] };
    this.#objects.set(nameOf(place), held);
    return held;
  }

  #find(place: Place, versionId: string | undefined): Generation | undefined {
    if (versionId === undefined) return this.current(place);
    const versions = this.#objects.get(nameOf(place))?.versions;
    return versions?.find((one) => one.versionId === versionId && !one.marker);
  }
}

function generationOf(id: number, versionId: string | undefined, { payload, by, marker }: Written): Generation {
  const bytes = bytesOf(payload);
  const etag = createHash("md5").update(bytes).digest("hex");
  return { id, payload, etag, size: bytes.length, modified: timeOfDay(), versionId, marker, by };
}
