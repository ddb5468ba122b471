import { ActivityError } from "../../model/activity-error.ts";
import { isSameSecond } from "../../model/one-object.ts";
import { nameOf } from "../error-mapping.ts";
import { unquoteEtag } from "../../model/etag.ts";
import { findFacts } from "../requests/head.ts";
import type { ObjectFacts } from "../requests/object-facts.ts";
import type { Call, Pin } from "../interface.ts";
import type { Store } from "../store.ts";

/** What tells an object from another one with the same bytes; a version that is not known is not compared. */
export type Identity = {
  readonly etag: string;
  readonly size: number;
  readonly lastModified: string;
  readonly versionId?: string | undefined;
};

/**
 * Whether what is there now is the pinned object. An equal ETag alone says no more than that the bytes are equal: a copy that came back, or the
 * object written anew with other metadata, has it too. The date tells those apart, and the version where there is one.
 */
export function isPinned(now: Identity, pin: Identity): boolean {
  return (
    now.etag === unquoteEtag(pin.etag) &&
    now.size === pin.size &&
    (pin.versionId === undefined || now.versionId === undefined || now.versionId === pin.versionId) &&
    isSameSecond(now.lastModified, pin.lastModified)
  );
}

export function sourceChanged(
  pin: Pick<Pin, "bucket" | "key" | "versionId" | "etag">,
  found: string,
  cause?: unknown,
): ActivityError {
  return new ActivityError("SourceChanged", `expected ${nameOf(pin)} with ETag ${pin.etag}, ${found}`, {
    httpStatus: 412,
    cause,
  });
}

/** The one look before a pinned object is deleted: what is there, `undefined` where nothing is; throws `SourceChanged` where it is another object. */
export async function lookUnchanged(store: Store, pin: Pin, call: Call): Promise<ObjectFacts | undefined> {
  const { bucket, key, versionId, versionNamed } = pin;
  // Without a version: what lies on top is what a plain delete hits.
  const object = { bucket, key, ...(versionNamed === true && versionId !== undefined && { versionId }) };
  const now = await findFacts(store, { object }, call);
  if (now !== undefined && !isPinned(now.details, pin)) throw sourceChanged(pin, foundOf(now.details));
  return now;
}

/** For the end of a sentence. */
export function foundOf({ etag, lastModified }: Pick<Identity, "etag" | "lastModified">): string {
  return `found ETag ${etag} of ${lastModified}`;
}
