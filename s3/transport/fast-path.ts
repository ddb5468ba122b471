import { Agent, EnvHttpProxyAgent } from "undici";
import { encodeKey, encodeSegment } from "../requests/copy-source.ts";
import { type About, isThrottle, toActivityError } from "../error-mapping.ts";
import { fastRequest, type RawAnswer } from "./fast-request.ts";
import { createFastTargets, type FastTarget, type FastTargets } from "./fast-target.ts";
import type { Headers } from "../requests/object-facts.ts";
import type { Call } from "../interface.ts";
import { createSigner, type Signer } from "./sign.ts";
import type { StoreBase } from "../options.ts";

/**
 * CopyObject, HeadObject, DeleteObject and ListObjectsV2 without the SDK, which costs several times the CPU. Only the expected success counts;
 * for anything else the caller asks again through the SDK, which raises the typed error. Throttling is raised at once,
 * because a second request is the last thing that a busy store needs.
 */
export type FastPath = {
  /** An answer that is proven, or what is known of a request that has none. */
  readonly send: (request: FastCall, call: Call) => Promise<FastAnswer>;
  readonly close: () => Promise<void>;
};

export type FastCall = {
  readonly operation: keyof typeof KINDS;
  readonly bucket: string;
  /** Absent where the call is for the bucket. */
  readonly key?: string | undefined;
  /** Not encoded. */
  readonly query?: Readonly<Record<string, string | undefined>> | undefined;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly about: About;
  /** Bytes that the call moves, for metrics. */
  readonly bytes?: number;
  /** Told as it goes out. */
  readonly onSent?: StoreBase["onSent"];
};

export type FastAnswer =
  | { readonly outcome: "done"; readonly headers: Headers; readonly body: string }
  /** Not sent, or answered with a refusal: nothing happened. */
  | { readonly outcome: "refused"; readonly status?: number; readonly requestId?: string }
  /** Sent, and whether it took effect is not known. */
  | { readonly outcome: "unknown" };

const SMALL = 64 * 1024;
/** A thousand keys of 1,024 bytes, each of them encoded as three characters, and some 300 characters beside each. */
const LISTING = 4 * 1024 * 1024;

const KINDS = {
  CopyObject: { method: "PUT", success: 200, maxBody: SMALL },
  HeadObject: { method: "HEAD", success: 200, maxBody: SMALL },
  DeleteObject: { method: "DELETE", success: 204, maxBody: SMALL },
  ListObjectsV2: { method: "GET", success: 200, maxBody: LISTING },
} as const;

type Way = {
  readonly store: StoreBase;
  readonly agent: Agent | EnvHttpProxyAgent;
  readonly sign: Signer;
  readonly targets: FastTargets;
};

export function createFastPath(store: StoreBase): FastPath {
  const { connection, settings, clients } = store;
  const sockets = {
    connections: settings.maxSockets,
    pipelining: 1,
    allowH2: false,
    connect: { timeout: settings.connectTimeoutMs },
  };
  const { proxy } = connection;
  const agent = proxy === undefined ? new Agent(sockets) : new EnvHttpProxyAgent({ ...sockets, ...proxy });
  const way: Way = { store, agent, sign: createSigner(), targets: createFastTargets(clients) };
  return { send: (request, call) => send(way, request, call), close: () => agent.destroy() };
}

async function send(way: Way, request: FastCall, call: Call): Promise<FastAnswer> {
  const { store, targets } = way;
  const { operation, bucket, about } = request;
  call.signal.throwIfAborted();
  const found = targets(bucket, store.regions.get(bucket) ?? store.connection.region);
  const target = found instanceof Promise ? await found : found;
  if (target === undefined) return { outcome: "refused" };
  const started = performance.now();
  let answer: RawAnswer;
  try {
    answer = await exchange(way, request, target, call);
  } catch (error) {
    if (call.signal.aborted) throw call.signal.reason;
    report(store, request, { started, throttled: false });
    const failure = toActivityError(error, { store: store.name, ...about });
    // Who waited so long once should not have to wait again.
    if (failure.code === "Timeout") throw failure;
    // Why is for the SDK to say, when it meets the same. A provider without credentials sent nothing.
    return { outcome: failure.code === "CredentialsUnavailable" ? "refused" : "unknown" };
  }
  const { status, headers, body } = answer;
  const busy = status === 503 || status === 429 ? throttleError(answer, { store: store.name, ...about }) : undefined;
  report(store, request, { started, status, throttled: busy !== undefined });
  if (busy !== undefined) throw busy;
  if (status === KINDS[operation].success) return { outcome: "done", headers, body };
  if (status < 400 || status >= 500) return { outcome: "unknown" };
  const requestId = headers["x-amz-request-id"];
  return { outcome: "refused", status, ...(typeof requestId === "string" && { requestId }) };
}

async function exchange(way: Way, request: FastCall, target: FastTarget, call: Call): Promise<RawAnswer> {
  const { store, agent, sign } = way;
  const { settings, credentials } = store;
  const { operation, key, query, headers } = request;
  const { method, maxBody } = KINDS[operation];
  const identity = credentials.peek() ?? (await credentials.get());
  const signed = signedRequest(store, sign, target, { method, key, query, headers, identity });
  if (method === "PUT") signed.headers["content-length"] = "0";
  const outgoing = {
    origin: target.origin,
    path: signed.path,
    method,
    headers: signed.headers,
    headersTimeout: operation === "CopyObject" ? settings.copyTimeoutMs : settings.requestTimeoutMs,
    bodyTimeout: settings.idleTimeoutMs,
    maxBody,
  };
  request.onSent?.(operation);
  return await fastRequest(agent, outgoing, call.signal);
}

type ToSign = Pick<FastCall, "key" | "query" | "headers"> & {
  readonly method: string;
  readonly identity: Parameters<Signer>[0]["credentials"];
};

/** Path, with its query, and headers of a request as it goes out. */
export function signedRequest(
  { connection }: StoreBase,
  sign: Signer,
  target: FastTarget,
  { method, key, query: asked, headers, identity }: ToSign,
): { readonly path: string; readonly headers: ReturnType<Signer> } {
  const path = key === undefined ? target.basePath || "/" : `${target.basePath}/${encodeKey(key)}`;
  const query = asked === undefined ? "" : encodeQuery(asked);
  const owner = connection.expectedBucketOwner;
  const signed = sign({
    method,
    host: target.host,
    path,
    query,
    headers: owner === undefined ? headers : { ...headers, "x-amz-expected-bucket-owner": owner },
    region: target.region,
    credentials: identity,
  });
  return { path: query === "" ? path : `${path}?${query}`, headers: signed };
}

type Ended = { readonly started: number; readonly status?: number; readonly throttled: boolean };

type Reported = Pick<FastCall, "bucket" | "bytes"> & { readonly operation: string };

/** Tells whoever counts requests how one ended. */
export function report({ settings }: StoreBase, request: Reported, { started, status, throttled }: Ended): void {
  settings.onRequest?.({
    operation: request.operation,
    path: "fast",
    durationMs: performance.now() - started,
    throttled,
    bucket: request.bucket,
    ...(status !== undefined && { status }),
    ...(request.bytes !== undefined && { bytes: request.bytes }),
  });
}

/** As it is signed: sorted by name, every character encoded that is not unreserved. */
function encodeQuery(query: Readonly<Record<string, string | undefined>>): string {
  return Object.keys(query)
    .toSorted()
    .flatMap((name) => (query[name] === undefined ? [] : `${name}=${encodeSegment(query[name])}`))
    .join("&");
}

export function throttleError({ status, headers, body }: RawAnswer, about: About): Error | undefined {
  const requestId = headers["x-amz-request-id"];
  const error = toActivityError(
    {
      name: /<Code>([A-Za-z]+)<\/Code>/.exec(body)?.[1] ?? "",
      message: /<Message>([^<]*)<\/Message>/.exec(body)?.[1] ?? "",
      $metadata: { httpStatusCode: status, ...(typeof requestId === "string" && { requestId }) },
    },
    about,
  );
  return isThrottle(error) ? error : undefined;
}
