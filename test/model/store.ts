import { createHash } from "node:crypto";
import { timeOfDay } from "./clock.ts";

/** What was written at one moment: an object, and the only thing that tells it from another with the same bytes. */
export type Generation = {
  readonly id: number;
  /** Bytes and metadata: what must not be lost. Copies have their source's. */
  readonly payload: string;
  readonly etag: string;
  readonly size: number;
  readonly modified: number;
  readonly versionId: string | undefined;
  readonly marker: boolean;
  /** Who wrote it; `owner` is somebody outside. */
  readonly by: string;
};

export type Versioning = "off" | "on" | "suspended";

/** Which conditions the store enforces. */
export type Enforced = {
  readonly copySource: boolean;
  readonly write: boolean;
  readonly delete: boolean;
  readonly multiDelete: boolean;
};

/** By what other content. */
export type Overwrite = { readonly payload: string };

/** What lay at a place when a run looked, and after how many other events. */
export type Look = { readonly order: number; readonly etag: string | undefined; readonly modified: number };

/** A request on its way. */
export type Sent = {
  readonly by: string;
  /** After how many other events it was sent. */
  readonly at: number;
  readonly operation: string;
  /** By place: the look that the run had just before it sent this, where nothing else of it came in between. */
  readonly covers: ReadonlyMap<string, Look | undefined>;
  /** How often Redis had gone back in time by then. */
  readonly epoch: number;
  /** What it saw itself. */
  readonly looks: Map<string, Look>;
};

/** Told of everything that is written or removed for good, when it happens. */
export type Witness = {
  /** A run sends a request that changes something at these places. */
  sends(by: string, operation: string, places: readonly Place[]): Sent;
  /** What happens in `effect` is this request's. */
  during<Result>(sent: Sent, effect: () => Result): Result;
  /** Its answer arrived: only now the run knows what it saw. */
  heard(sent: Sent): void;
  wrote(place: Place, made: Generation, by: string): void;
  destroyed(place: Place, lost: Generation, by: string, how: "delete" | Overwrite): void;
  /** What lies there is read, by the request that takes effect just now. */
  looked(place: Place, found: Generation | undefined): void;
};

export type Place = { readonly bucket: string; readonly key: string };
export const nameOf = ({ bucket, key }: Place): string => `${bucket}/${key}`;

export class Refused extends Error {
  readonly $metadata: { httpStatusCode: number; requestId: string };
  constructor(name: string, status: number) {
    super(name);
    this.name = name;
    this.$metadata = { httpStatusCode: status, requestId: "model" };
  }
}

/** The bytes of a payload: its metadata follows a slash. */
export const bytesOf = (payload: string): string => payload.split("/")[0] ?? payload;

export type ModelStore = ReturnType<typeof createModelStore>;

export function createModelStore(options: {
  versioning: Versioning;
  enforced: Enforced;
  witness: Witness;
  keys: readonly string[];
}) {
  const { versioning, enforced, witness } = options;
  /** A listing also tells what is not there. */
  const keysOf = (bucket: string): readonly Place[] => options.keys.map((key) => ({ bucket, key }));
  const objects = new Map<string, { readonly place: Place; versions: Generation[] }>();
  let ids = 0;

  const at = (place: Place) => {
    const held = objects.get(nameOf(place)) ?? { place, versions: [] };
    objects.set(nameOf(place), held);
    return held;
  };
  const current = (place: Place): Generation | undefined => {
    const top = objects.get(nameOf(place))?.versions.at(-1);
    return top === undefined || top.marker ? undefined : top;
  };
  const find = (place: Place, versionId?: string): Generation | undefined =>
    versionId === undefined
      ? current(place)
      : objects.get(nameOf(place))?.versions.find((one) => one.versionId === versionId && !one.marker);

  function write(place: Place, payload: string, by: string, marker = false): Generation {
    const held = at(place);
    const id = ++ids;
    const versionId = versioning === "off" ? undefined : versioning === "on" ? `v${id}` : "null";
    const bytes = bytesOf(payload);
    const made: Generation = {
      id,
      payload,
      etag: createHash("md5").update(bytes).digest("hex"),
      size: bytes.length,
      modified: timeOfDay(),
      versionId,
      marker,
      by,
    };
    const replaced = versioning === "on" ? [] : held.versions.filter((one) => one.versionId === versionId);
    held.versions = [...held.versions.filter((one) => !replaced.includes(one)), made];
    for (const one of replaced) if (!one.marker) witness.destroyed(place, one, by, marker ? "delete" : made);
    if (!marker) witness.wrote(place, made, by);
    return made;
  }

  return {
    versioning,
    enforced,
    witness,
    /** Of a bucket that had versions before they were suspended. */
    writeVersion(place: Place, payload: string): void {
      const bytes = bytesOf(payload);
      const id = ++ids;
      const etag = createHash("md5").update(bytes).digest("hex");
      const made = {
        id,
        payload,
        etag,
        size: bytes.length,
        modified: timeOfDay(),
        versionId: `v${id}`,
        marker: false,
        by: "owner",
      };
      at(place).versions.push(made);
      witness.wrote(place, made, "owner");
    },
    write: (place: Place, payload: string, by: string) => write(place, payload, by),
    current,
    find,
    /** Every generation that can still be read, by a version where not by its key. */
    *all(): Generator<readonly [Place, Generation]> {
      for (const { place, versions } of objects.values())
        for (const one of versions) if (!one.marker) yield [place, one];
    },
    head(place: Place, versionId: string | undefined): Generation {
      const found = find(place, versionId);
      if (versionId === undefined) witness.looked(place, found);
      if (found === undefined) throw new Refused(versionId === undefined ? "NoSuchKey" : "NoSuchVersion", 404);
      return found;
    },
    list(bucket: string, { prefix, after, max }: { prefix: string; after: string; max: number }) {
      const found = [...objects.values()]
        .filter(({ place }) => place.bucket === bucket && place.key.startsWith(prefix) && place.key > after)
        .toSorted((one, other) => (one.place.key < other.place.key ? -1 : 1));
      for (const place of keysOf(bucket)) witness.looked(place, current(place));
      const there = found.flatMap(({ place }) => {
        const top = current(place);
        return top === undefined ? [] : [{ key: place.key, object: top }];
      });
      return { page: there.slice(0, max), more: there.length > max };
    },
    copy(
      {
        from,
        versionId,
        ifMatch,
        to,
        ifNoneMatch,
      }: { from: Place; versionId: string | undefined; ifMatch: string | undefined; to: Place; ifNoneMatch: boolean },
      by: string,
    ): Generation {
      const source = find(from, versionId);
      if (source === undefined) throw new Refused("NoSuchKey", 404);
      if (enforced.copySource && ifMatch !== undefined && source.etag !== ifMatch)
        throw new Refused("PreconditionFailed", 412);
      if (enforced.write && ifNoneMatch && current(to) !== undefined) throw new Refused("PreconditionFailed", 412);
      return write(to, source.payload, by);
    },
    delete(
      place: Place,
      {
        versionId,
        ifMatch,
        bulk = false,
      }: { versionId?: string | undefined; ifMatch?: string | undefined; bulk?: boolean },
      by: string,
    ): void {
      const held = at(place);
      const enforce = bulk ? enforced.multiDelete : enforced.delete;
      const now = current(place);
      if (enforce && ifMatch !== undefined && now !== undefined && now.etag !== ifMatch)
        throw new Refused("PreconditionFailed", 412);
      if (versionId !== undefined || versioning === "off") {
        const lost = held.versions.filter((one) => versioning === "off" || one.versionId === versionId);
        held.versions = held.versions.filter((one) => !lost.includes(one));
        for (const one of lost) if (!one.marker) witness.destroyed(place, one, by, "delete");
        return;
      }
      if (now !== undefined) write(place, "", by, true);
    },
  };
}
