import {
  HeadBucketCommand,
  type S3Client,
  type S3ClientResolvedConfig,
  type ServiceInputTypes,
  type ServiceOutputTypes,
} from "@aws-sdk/client-s3";
import type { Command } from "@smithy/types";
import { ActivityError } from "../../model/activity-error.ts";
import { type About, isThrottle, toActivityError } from "../error-mapping.ts";
import { namedRegion, redirectRegion } from "./redirect-region.ts";
import type { Call } from "../interface.ts";
import { ownedBy, type StoreBase } from "../options.ts";

/** An SDK command of S3. */
export type S3Command<Input extends ServiceInputTypes, Output extends ServiceOutputTypes> = Command<
  ServiceInputTypes,
  Input,
  ServiceOutputTypes,
  Output,
  S3ClientResolvedConfig
>;

type Limits = {
  /** For the whole call, until its answer is read; `none` where the caller watches the body it sends. */
  readonly timeoutMs?: number | "none";
  /** The region to use, where it must not be looked up. */
  readonly region?: string;
  /** Never repeat it on the way: the caller has to look first. */
  readonly once?: boolean;
  /** Bytes that the call moves, for metrics. */
  readonly bytes?: number;
};

const EXPIRED = new Set(["ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidToken"]);

/**
 * Sends one command through the SDK, in the bucket's own region: a redirect is followed once and remembered. Ends with the
 * caller's signal, or when the store takes too long; every failure is an ActivityError that names the object.
 *
 * @param make makes the command anew for each try; it must hold no stream unless the region is known
 */
export async function send<Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
  store: StoreBase,
  make: () => S3Command<Input, Output>,
  about: About,
  call: Call,
  limits: Limits = {},
): Promise<Output> {
  const region = limits.region ?? (about.bucket === undefined ? undefined : store.regions.get(about.bucket));
  const first = region ?? store.connection.region;
  try {
    return await attempt(store, clientFor(store, first, limits), make(), about, call, limits);
  } catch (error) {
    const next = await nextRegion(store, error, about, first, call);
    if (next === undefined) throw failure(store, error, about, call);
    try {
      return await attempt(store, clientFor(store, next, limits), make(), about, call, limits);
    } catch (again) {
      throw failure(store, again, about, call);
    }
  }
}

function clientFor({ clients }: StoreBase, region: string, { once = false }: Limits): S3Client {
  return once ? clients.forRegionOnce(region) : clients.forRegion(region);
}

/** The region of a bucket: remembered, or found out by HeadBucket; the profile's where the store does not say. */
export async function regionOf(store: StoreBase, bucket: string, call: Call): Promise<string> {
  const known = store.regions.get(bucket);
  if (known !== undefined) return known;
  const about: About = { operation: "HeadBucket", bucket };
  let found: string | undefined;
  try {
    const make = new HeadBucketCommand({ Bucket: bucket, ...ownedBy(store) });
    const answer = await attempt(store, store.clients.forRegion(store.connection.region), make, about, call, {});
    found = namedRegion(answer.BucketRegion);
  } catch (error) {
    call.signal.throwIfAborted();
    // A 403 tells the region too. Whatever else is wrong, the call that wanted the region will say.
    found = regionHeader(error) ?? redirectRegion(error);
  }
  if (found === undefined || found === "") return store.connection.region;
  store.regions.set(bucket, found);
  return found;
}

async function attempt<Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
  store: StoreBase,
  client: S3Client,
  command: S3Command<Input, Output>,
  about: About,
  call: Call,
  limits: Limits,
): Promise<Output> {
  const { signal } = call;
  signal.throwIfAborted();
  const started = performance.now();
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const timeoutMs = limits.timeoutMs ?? store.settings.requestTimeoutMs;
  const tooLong = (): void => controller.abort(timeout(store, about, timeoutMs));
  const timer = timeoutMs === "none" ? undefined : setTimeout(tooLong, timeoutMs);
  let failed: unknown;
  let status: number | undefined;
  try {
    if (store.onSent !== undefined) tellSent(command, () => store.onSent?.(about.operation));
    const output = await client.send<Input, Output>(command, { abortSignal: controller.signal });
    status = output.$metadata.httpStatusCode;
    return output;
  } catch (error) {
    failed = controller.signal.aborted ? controller.signal.reason : error;
    throw failed;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    report(store, about, { started, failed, status, bytes: limits.bytes });
  }
}

/** Each attempt passes the last step anew. */
function tellSent<Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
  { middlewareStack }: S3Command<Input, Output>,
  tell: () => void,
): void {
  middlewareStack.add(
    (next) => (args) => {
      tell();
      return next(args);
    },
    { step: "deserialize", priority: "low", name: "tellSent", override: true },
  );
}

function timeout(store: StoreBase, about: About, timeoutMs: number | "none"): ActivityError {
  return new ActivityError("Timeout", `${store.name} did not answer ${about.operation} within ${timeoutMs} ms`, {
    retryable: true,
  });
}

async function nextRegion(
  store: StoreBase,
  error: unknown,
  about: About,
  tried: string,
  call: Call,
): Promise<string | undefined> {
  if (about.bucket === undefined || call.signal.aborted) return undefined;
  let region = redirectRegion(error);
  if (region === undefined) return undefined;
  store.regions.delete(about.bucket);
  if (region === "") region = await regionOf(store, about.bucket, call);
  if (region === tried) return undefined;
  store.regions.set(about.bucket, region);
  return region;
}

function failure(store: StoreBase, error: unknown, about: About, call: Call): unknown {
  if (call.signal.aborted) return call.signal.reason;
  const mapped = toActivityError(error, { store: store.name, ...about });
  if (EXPIRED.has(mapped.code)) store.credentials.forget();
  return mapped;
}

function regionHeader(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("$response" in error)) return undefined;
  // The SDK hangs its raw answer on its errors, untyped.
  const response = error.$response as { readonly headers?: Readonly<Record<string, string>> } | undefined;
  return namedRegion(response?.headers?.["x-amz-bucket-region"]);
}

type Outcome = {
  readonly started: number;
  readonly failed: unknown;
  readonly status: number | undefined;
  readonly bytes: number | undefined;
};

function report(store: StoreBase, about: About, { started, failed, status, bytes }: Outcome): void {
  const { onRequest } = store.settings;
  if (onRequest === undefined) return;
  const error = failed === undefined ? undefined : toActivityError(failed, about);
  const answered = status ?? error?.httpStatus;
  onRequest({
    operation: about.operation,
    path: "sdk",
    durationMs: performance.now() - started,
    throttled: isThrottle(error),
    ...(answered !== undefined && { status: answered }),
    ...(bytes !== undefined && { bytes }),
    ...(about.bucket !== undefined && { bucket: about.bucket }),
  });
}
