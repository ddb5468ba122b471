import type { ServiceInputTypes, ServiceOutputTypes } from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";
import { unquoteEtag } from "../../model/etag.ts";
import { unproven } from "../error-mapping.ts";
import { ownedBy, type StoreBase } from "../options.ts";
import { retryPart } from "../parts/retry.ts";
import { type S3Command, send } from "../transport/send.ts";

export type OwnCall = { readonly signal?: AbortSignal | undefined };

/** Tries of one request: whoever writes a document has no job that would be tried again. */
const TRIES = 3;

type About = { readonly operation: string; readonly key?: string };
type Limits = { readonly timeoutMs?: number };
type Send = <Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
  doing: string,
  make: () => S3Command<Input, Output>,
  about: About,
  call: OwnCall,
  limits?: Limits,
) => Promise<Output>;

/** How one bucket is asked. `doing` is what could not be done where it fails. */
export type Ask = {
  readonly store: StoreBase;
  readonly bucket: string;
  readonly at: { readonly Bucket: string; readonly ExpectedBucketOwner?: string };
  run<Result>(doing: string, call: OwnCall, request: (signal: AbortSignal) => Promise<Result>): Promise<Result>;
  readonly send: Send;
  /** As above, for answers that prove by an ETag that they are the store's: a proxy's page with 200 has none. */
  readonly proven: Send;
};

export function createAsk(store: StoreBase, bucket: string, failure: (error: unknown, doing: string) => unknown): Ask {
  const run: Ask["run"] = async (doing, { signal = new AbortController().signal }, request) => {
    try {
      return await retryPart(() => request(signal), signal, TRIES);
    } catch (error) {
      signal.throwIfAborted();
      throw failure(error, doing);
    }
  };
  const once: Send = (doing, make, about, call, limits) =>
    run(doing, call, (signal) => send(store, make, { bucket, ...about }, { signal }, { ...limits, once: true }));
  const proven: Send = (doing, make, about, call, limits) =>
    run(doing, call, async (signal) => {
      const answer = await send(store, make, { bucket, ...about }, { signal }, { ...limits, once: true });
      const etag = "ETag" in answer && typeof answer.ETag === "string" ? unquoteEtag(answer.ETag) : "";
      if (etag === "") throw unproven({ bucket, ...about }, "an ETag", 200);
      return answer;
    });
  return { store, bucket, at: { Bucket: bucket, ...ownedBy(store) }, run, send: once, proven };
}

/** `undefined` where the store says that there is no such object or upload. A missing bucket is another matter. */
export async function orNothing<Result>(answer: Promise<Result>): Promise<Result | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ActivityError && error.httpStatus === 404 && error.code !== "NoSuchBucket") return undefined;
    throw error;
  }
}
