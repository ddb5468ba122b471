import { ActivityError } from "../../model/activity-error.ts";
import { sharedStart } from "../../model/object-key.ts";
import { toActivityError } from "../error-mapping.ts";
import { findFacts } from "../requests/head.ts";
import { listPage } from "../requests/listings/page.ts";
import { keepsVersions } from "../requests/versions.ts";
import type { Call } from "../interface.ts";
import type { Store } from "../store.ts";
import type { Identity } from "./unchanged.ts";

/** What is there now, or why that could not be found out; keys that are not there are absent. */
export type Looks = {
  readonly found: ReadonlyMap<string, Identity | ActivityError>;
  /** `at-risk`: a plain delete may remove versions that were not looked at, so each key needs a look and a request of its own. */
  readonly versions: "safe" | "at-risk";
};

/** Below so many keys, one request for each is cheaper than a listing. */
const FEW = 4;
/** Objects looked at at once. */
const LANES = 32;

/**
 * Looks at many keys just before they are deleted: at the first by HEAD, which also tells whether the bucket has versions, at the others by listing from
 * there on. What the listing does not show is looked at by HEAD too, so that nothing counts as gone because of a store that lists in no order.
 */
export async function lookAtMany(
  store: Store,
  bucket: string,
  items: readonly { readonly key: string }[],
  call: Call,
): Promise<Looks> {
  const found = new Map<string, Identity | ActivityError>();
  const keys = items.map(({ key }) => key).toSorted(byBytes);
  const [first] = keys;
  if (first === undefined) return { found, versions: "safe" };
  const look = async (key: string): Promise<void> => {
    try {
      const facts = await findFacts(store, { object: { bucket, key } }, call);
      if (facts === undefined) found.delete(key);
      else found.set(key, facts.details);
    } catch (error) {
      call.signal.throwIfAborted();
      found.set(key, toActivityError(error, { operation: "HeadObject", bucket, key }));
    }
  };
  await look(first);
  if (await isAtRisk(found.get(first))) return { found, versions: "at-risk" };
  if (keys.length > FEW) await lookByListing(store, { bucket, keys, found }, call);
  const unseen = keys.filter((key) => key !== first && !found.has(key));
  await inLanes(unseen, LANES, look);
  // Where the first tells nothing, another one has to: a listing names no versions.
  for (const key of tells(found.get(first)) ? [] : keys) {
    if (!tells(found.get(key))) continue;
    await look(key);
    if (await isAtRisk(found.get(key))) return { found, versions: "at-risk" };
    if (tells(found.get(key))) break;
  }
  return { found, versions: "safe" };

  async function isAtRisk(now: Identity | ActivityError | undefined): Promise<boolean> {
    return tells(now) && now.versionId !== undefined && !(await keepsVersions(store, bucket, call));
  }
}

function tells(now: Identity | ActivityError | undefined): now is Identity {
  return now !== undefined && !(now instanceof ActivityError);
}

type Listing = {
  readonly bucket: string;
  readonly keys: readonly string[];
  readonly found: Map<string, Identity | ActivityError>;
};

/** Fills in what pages from the first key on show, as long as that takes fewer requests than HEADs would. */
async function lookByListing(store: Store, { bucket, keys, found }: Listing, call: Call): Promise<void> {
  const [first = ""] = keys;
  const last = keys.at(-1) ?? first;
  const wanted = new Set(keys);
  const prefix = sharedStart(first, last);
  let continuationToken: string | undefined;
  try {
    for (let pages = Math.ceil(keys.length / 1000) + 1; pages > 0; pages -= 1) {
      const from = continuationToken === undefined ? { startAfter: first } : { continuationToken };
      const page = await listPage(store, { bucket, prefix, ...from }, call);
      for (const object of page.objects) if (wanted.has(object.key)) found.set(object.key, object);
      const end = page.objects.at(-1)?.key;
      if (page.next === undefined || end === undefined || byBytes(end, last) >= 0) return;
      continuationToken = page.next;
    }
  } catch (error) {
    call.signal.throwIfAborted();
    // Who may not list can still look at each; a store that is busy or does not answer should not be asked more.
    if (error instanceof ActivityError && error.retryable) throw error;
  }
}

/** As S3 lists. https://docs.aws.amazon.com/AmazonS3/latest/userguide/ListingKeysUsingAPIs.html */
function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

/** Works on all, so many at once; the first that throws ends it. */
export async function inLanes<Item>(
  items: readonly Item[],
  lanes: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let item = items[next]; item !== undefined; item = items[next]) {
      next += 1;
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, items.length) }, lane));
}
