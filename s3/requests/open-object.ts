import { Readable } from "node:stream";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";
import type { ByteRange, ObjectRef } from "../../model/entities.ts";
import { captureHeaders } from "../transport/capture-headers.ts";
import type { CustomerKey } from "../../credentials/resolved-profile.ts";
import { keyHeaders, keyInput, keyOfSource, withItsKey } from "./customer-key.ts";
import { downloadBody } from "../parts/download/body.ts";
import { type About, nameOf, unproven } from "../error-mapping.ts";
import { quoteEtag, unquoteEtag } from "../../model/etag.ts";
import { factsFromHeaders, type Headers, type ObjectFacts } from "./object-facts.ts";
import type { Call } from "../interface.ts";
import { send } from "../transport/send.ts";
import type { ReadBody } from "../transport/bodies/reader.ts";
import { ownedBy, type StoreBase } from "../options.ts";
import type { Store } from "../store.ts";

export type OpenRequest = {
  readonly object: ObjectRef;
  readonly range?: ByteRange | undefined;
  readonly ifMatch?: string | undefined;
};

export type OpenObject = {
  /** Counted: errors where fewer bytes come than were promised. */
  readonly body: Readable;
  /** Bytes that will come. */
  readonly size: number;
  /** Whether the range that was asked for was answered, and not the whole object. */
  readonly ranged: boolean;
  readonly facts: ObjectFacts;
};

/** One GET. What `ifMatch` and `range` ask is compared with the answer too, because some stores ignore them. */
export async function openObject(store: StoreBase, request: OpenRequest, call: Call): Promise<OpenObject> {
  const { object, range, ifMatch } = request;
  const { bucket, key, versionId } = object;
  const about: About = { operation: "GetObject", bucket, key, versionId, store: store.name };
  let headers: Headers = {};
  let status = 0;
  const make = (customerKey: CustomerKey | undefined): GetObjectCommand => {
    const command = new GetObjectCommand({
      Bucket: bucket,
      Key: key,
      VersionId: versionId,
      Range: range === undefined ? undefined : rangeHeader(range),
      IfMatch: ifMatch === undefined ? undefined : quoteEtag(ifMatch),
      ...keyInput(customerKey),
      ...ownedBy(store),
    });
    captureHeaders(command.middlewareStack, (got, code) => {
      headers = got;
      status = code;
    });
    return command;
  };
  const answer = await withItsKey(store, object, (opens) => send(store, () => make(opens), about, call));
  if (!(answer.Body instanceof Readable)) throw unproven(about, "a body", status);
  const source: Readable = answer.Body;
  try {
    const understood = understand(request, { headers, status }, about);
    const { idleTimeoutMs } = store.settings;
    const body = downloadBody({ source, size: understood.size, idleTimeoutMs, signal: call.signal, about });
    return { body, ...understood };
  } catch (error) {
    source.on("error", () => undefined).destroy();
    throw error;
  }
}

/** A range of an object, in pieces that are each only good until the next is asked for. `undefined` where it has to be the SDK. */
export async function openPieces(
  store: Store,
  request: OpenRequest & { readonly range: { readonly start: number; readonly end: number } },
  call: Call,
): Promise<(Pick<OpenObject, "ranged"> & Pick<ReadBody, "pieces" | "drop">) | undefined> {
  const { object, range, ifMatch } = request;
  const { bucket, key, versionId } = object;
  const about: About = { operation: "GetObject", bucket, key, versionId, store: store.name };
  const answer = await store.bodies?.get(
    {
      bucket,
      key,
      query: { versionId },
      headers: {
        range: rangeHeader(range),
        ...(ifMatch !== undefined && { "if-match": quoteEtag(ifMatch) }),
        ...(store.requesterPays && { "x-amz-request-payer": "requester" }),
        ...keyHeaders(keyOfSource(store, object), "object"),
      },
      about,
      onSent: store.onSent,
    },
    call,
  );
  if (answer === undefined) return undefined;
  try {
    const { ranged } = understand(request, answer, about);
    return { ranged, pieces: answer.pieces, drop: answer.drop };
  } catch (error) {
    answer.drop();
    throw error;
  }
}

/** What an answer is about. Throws where that is not what was asked for. */
function understand(
  { object, range, ifMatch }: OpenRequest,
  { headers, status }: { readonly headers: Headers; readonly status: number },
  about: About,
): Omit<OpenObject, "body"> {
  const facts = factsFromHeaders(headers, object, about);
  if (ifMatch !== undefined && facts.details.etag !== unquoteEtag(ifMatch)) throw changed(about, ifMatch, facts);
  const size = lengthOf(headers, about, status);
  const ranged = status === 206;
  if (range !== undefined && ranged) checkRange(headers["content-range"], { range, size, facts, about });
  return { size, ranged, facts };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html#API_GetObject_RequestSyntax */
function rangeHeader(range: ByteRange): string {
  return "last" in range ? `bytes=-${range.last}` : `bytes=${range.start}-${range.end ?? ""}`;
}

function lengthOf(headers: Headers, about: About, status: number): number {
  const size = Number(headers["content-length"]);
  if (headers["content-length"] === undefined || !Number.isSafeInteger(size)) throw unproven(about, "a length", status);
  return size;
}

type Answered = {
  readonly range: ByteRange;
  readonly size: number;
  readonly facts: ObjectFacts;
  readonly about: About;
};

/** Other bytes than those that were asked for, as a cache in front of a store may answer, must not pass for them. */
function checkRange(header: Headers[string], { range, size, facts, about }: Answered): void {
  const { size: whole } = facts.details;
  const start = "last" in range ? Math.max(0, whole - range.last) : range.start;
  const end = "last" in range ? whole - 1 : Math.min(range.end ?? whole - 1, whole - 1);
  const expected = `bytes ${start}-${end}/${whole}`;
  if (header === expected && size === end - start + 1) return;
  throw new ActivityError(
    "UnprovenResponse",
    `${about.operation} of ${nameOf(about)}: expected the range ${expected}, got ${String(header)} with ${size} bytes`,
    { retryable: true },
  );
}

function changed(about: About, ifMatch: string, { details }: ObjectFacts): ActivityError {
  return new ActivityError(
    "PreconditionFailed",
    `expected ${nameOf(about)} with ETag ${unquoteEtag(ifMatch)}, found ${details.etag}`,
    { httpStatus: 412 },
  );
}
