import type { Connection } from "../../credentials/connection.ts";
import { keepsByLook } from "../../model/entities.ts";
import { ActivityError } from "../../model/activity-error.ts";
import { sharedStart } from "../../model/object-key.ts";
import { type LeasedRange, type LeaseRole, leasedBucket } from "../../redis/leases.ts";
import type { BatchItem } from "../spec/fields.ts";
import { verbOf } from "../operations.ts";
import { type BatchSpec, destinationKeyOf, prefixSource } from "../spec/request.ts";

/** A batch's ranges are taken for so long, and taken anew all the while it is at work, in ms. */
export const RANGES_MS = 60_000;
/** How often, in ms. */
export const RENEW_RANGES_MS = 10_000;

/** For other holders, and for logs. */
export function holderOf(batch: string): string {
  return `batch ${batch}`;
}

type Place = { readonly bucket: string; readonly prefix: string };
export type Places = { readonly sources: readonly Place[]; readonly destinations: readonly Place[] };

type Ends = {
  readonly source: { readonly connection: Connection };
  readonly destination: { readonly connection: Connection };
};

/** What a batch deletes from and writes to, for the leases that keep crossing moves apart. */
export function rangesOf(spec: BatchSpec, { source, destination }: Ends, places: Places): LeasedRange[] {
  const verb = verbOf(spec);
  const leased = (these: readonly Place[], role: LeaseRole | undefined, { connection }: Ends["source"]) =>
    role === undefined ? [] : these.map((place) => range(connection, place, role));
  const fills = keepsByLook(destination.connection, spec.onConflict);
  return [
    ...leased(places.sources, verb.source.lease, source),
    ...leased(places.destinations, fills && verb.destination ? "fills" : verb.destination?.lease, destination),
  ];
}

function range(connection: Connection, { bucket, prefix }: Place, role: LeaseRole): LeasedRange {
  return { bucket: leasedBucket(connection, bucket), prefix, role };
}

/** Of a prefix, or of items; a manifest tells by its lines. */
export function placesOf(spec: BatchSpec, items: readonly BatchItem[]): Places {
  const { destination } = spec;
  const from = prefixSource(spec);
  if (from !== undefined) {
    const to = destination && { bucket: destination.bucket, prefix: destination.prefix ?? from.prefix };
    return { sources: [from], destinations: to === undefined ? [] : [to] };
  }
  const places = createPlaces(spec);
  for (const item of items) places.add(item);
  return places.found();
}

/** Draws the smallest ranges around named objects: for each bucket the prefix that its keys share. */
export function createPlaces(spec: BatchSpec): {
  add(object: { readonly bucket: string; readonly key: string; readonly destinationKey?: string | undefined }): void;
  found(): Places;
} {
  const sources = new Map<string, string>();
  let written: string | undefined;
  return {
    add({ bucket, key, destinationKey }) {
      sources.set(bucket, sharedStart(sources.get(bucket) ?? key, key));
      const to = destinationKey ?? destinationKeyOf(spec, key);
      if (to !== undefined) written = sharedStart(written ?? to, to);
    },
    found: () => ({
      sources: [...sources].map(([bucket, prefix]) => ({ bucket, prefix })),
      destinations:
        spec.destination === undefined || written === undefined
          ? []
          : [{ bucket: spec.destination.bucket, prefix: written }],
    }),
  };
}

export function overlapError(batch: string, by: string): ActivityError {
  return new ActivityError(
    "Overlap",
    `batch ${batch}: ${by} is at work where this one moves from or to; expected it to end first`,
  );
}
