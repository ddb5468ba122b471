import { ActivityError } from "../../../model/activity-error.ts";
import type { About } from "../../error-mapping.ts";
import type { Call, ListPage, ListRequest } from "../../interface.ts";
import type { Store } from "../../store.ts";
import { parseListing } from "./parse.ts";
import { provenPage, sdkPage } from "./proven.ts";

/**
 * One page of a listing. Asked for URL-encoded, because XML cannot carry every key: `x\r\ny` would list as another one.
 * An answer counts only as a listing of this bucket and prefix; an empty or foreign 200 would read as "no objects".
 * Directory buckets list in no order, so `startAfter` does not resume there.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 */
export async function listPage(store: Store, request: ListRequest, call: Call): Promise<ListPage> {
  const about: About = { operation: "ListObjectsV2", bucket: request.bucket };
  try {
    const fast = await fastPage(store, request, about, call);
    return fast ?? (await sdkPage(store, request, call));
  } catch (error) {
    if (error instanceof ActivityError && error.code === "PrefixIgnored") store.learned.learn("prefixes-ignored");
    throw error;
  }
}

/** `undefined` where it takes the SDK to tell what is wrong. */
async function fastPage(store: Store, request: ListRequest, about: About, call: Call): Promise<ListPage | undefined> {
  const { bucket, prefix, delimiter, startAfter, continuationToken, maxKeys } = request;
  const query = {
    "list-type": "2",
    "encoding-type": "url",
    prefix,
    delimiter,
    "start-after": startAfter,
    "continuation-token": continuationToken,
    "max-keys": maxKeys?.toString(),
  };
  const answer = await store.fast?.send({ operation: "ListObjectsV2", bucket, query, headers: {}, about }, call);
  const listing = answer?.outcome === "done" ? parseListing(answer.body) : undefined;
  return listing === undefined ? undefined : provenPage(listing, request, about);
}
