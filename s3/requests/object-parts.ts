import { HeadObjectCommand } from "@aws-sdk/client-s3";
import { hasPlainEtag, type KnownParts } from "../proof/content.ts";
import type { About } from "../error-mapping.ts";
import { quoteEtag, unquoteEtag } from "../../model/etag.ts";
import type { Call } from "../interface.ts";
import { send } from "../transport/send.ts";
import { ownedBy } from "../options.ts";
import type { Store } from "../store.ts";
import { keyInput, keyOfSource } from "./customer-key.ts";
import type { ObjectFacts } from "./object-facts.ts";

/** Parts that are looked at at once. */
const LOOKS = 8;

/**
 * The size of the parts that an object was uploaded in, where its ETag follows from their MD5s. `undefined` where it does not, or where the
 * store does not tell. https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
 */
export async function partsOfObject(
  store: Store,
  { details }: ObjectFacts,
  call: Call,
): Promise<KnownParts | undefined> {
  const { etag, size } = details;
  const count = Number(/^[0-9a-f]{32}-(\d{1,5})$/i.exec(etag)?.[1] ?? 0);
  if (count === 0 || size === 0 || !hasPlainEtag(details)) return undefined;
  if (count === 1) return { size, areAlike: () => Promise.resolve(true) };
  const first = await partSize(store, details, 1, call);
  // A store that does not know the question tells the size of the whole.
  if (first === undefined || first <= 0 || Math.ceil(size / first) !== count) return undefined;
  return { size: first, areAlike: () => areAlike(store, details, { count, first }, call) };
}

/** Parts of different sizes can by chance have the number that equal ones would have. Asked only where the ETags differ. */
async function areAlike(
  store: Store,
  details: ObjectFacts["details"],
  { count, first }: { readonly count: number; readonly first: number },
  call: Call,
): Promise<boolean> {
  for (let number = 2; number < count; number += LOOKS) {
    const numbers = Array.from({ length: Math.min(LOOKS, count - number) }, (_, index) => number + index);
    const sizes = await Promise.all(numbers.map((one) => partSize(store, details, one, call)));
    if (sizes.some((size) => size !== first)) return false;
  }
  return true;
}

async function partSize(
  store: Store,
  { bucket, key, versionId, etag }: ObjectFacts["details"],
  PartNumber: number,
  call: Call,
): Promise<number | undefined> {
  const about: About = { operation: "HeadObject", bucket, key, versionId };
  const make = (): HeadObjectCommand =>
    new HeadObjectCommand({
      Bucket: bucket,
      Key: key,
      VersionId: versionId,
      PartNumber,
      IfMatch: quoteEtag(etag),
      ...keyInput(keyOfSource(store, { bucket, key, versionId })),
      ...ownedBy(store),
    });
  try {
    const answer = await send(store, make, about, call);
    return unquoteEtag(answer.ETag ?? "") === etag ? answer.ContentLength : undefined;
  } catch {
    // Whoever may read an object need not be allowed to look at it, and some stores do not know parts: then there is nothing to compare with.
    call.signal.throwIfAborted();
    return undefined;
  }
}
