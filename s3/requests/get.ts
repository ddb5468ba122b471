import { Readable } from "node:stream";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { ActivityError } from "../../model/activity-error.ts";
import type { ByteRange } from "../../model/entities.ts";
import { captureHeaders } from "../transport/capture-headers.ts";
import { downloadBody } from "../parts/download-body.ts";
import { type About, nameOf, unproven } from "../error-mapping.ts";
import { quoteEtag, unquoteEtag } from "../etag.ts";
import { factsFromHeaders, type Headers, type ObjectFacts } from "./object-facts.ts";
import type { Call, Download, S3 } from "../s3.ts";
import { send } from "../transport/send.ts";
import { ownedBy, type Store } from "../store.ts";

export type GetRequest = Parameters<S3["get"]>[0];

/** Opens an object's content. What `ifMatch` asks is checked here too, because some stores ignore it. */
export async function get(store: Store, request: GetRequest, call: Call): Promise<Download> {
  const { body, size, facts } = await getWithFacts(store, request, call);
  return { body, size, object: facts.details };
}

export async function getWithFacts(
  store: Store,
  { object, range, ifMatch }: GetRequest,
  call: Call,
): Promise<{ body: Readable; size: number; facts: ObjectFacts }> {
  const { bucket, key, versionId } = object;
  const about: About = { operation: "GetObject", bucket, key, versionId, store: store.name };
  let headers: Headers = {};
  let status = 0;
  const make = (): GetObjectCommand => {
    const command = new GetObjectCommand({
      Bucket: bucket,
      Key: key,
      VersionId: versionId,
      Range: range === undefined ? undefined : rangeHeader(range),
      IfMatch: ifMatch === undefined ? undefined : quoteEtag(ifMatch),
      ...ownedBy(store),
    });
    captureHeaders(command.middlewareStack, (got, code) => {
      headers = got;
      status = code;
    });
    return command;
  };
  const answer = await send(store, make, about, call);
  if (!(answer.Body instanceof Readable)) throw unproven(about, "a body", status);
  const source: Readable = answer.Body;
  try {
    const facts = factsFromHeaders(headers, object, about);
    if (ifMatch !== undefined && facts.details.etag !== unquoteEtag(ifMatch)) throw changed(about, ifMatch, facts);
    const size = bodySize(headers, range, status, about);
    const { idleTimeoutMs } = store.settings;
    return { body: downloadBody({ source, size, idleTimeoutMs, signal: call.signal, about }), size, facts };
  } catch (error) {
    source.on("error", () => undefined).destroy();
    throw error;
  }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html#API_GetObject_RequestSyntax */
function rangeHeader(range: ByteRange): string {
  return "last" in range ? `bytes=-${range.last}` : `bytes=${range.start}-${range.end ?? ""}`;
}

function bodySize(headers: Headers, range: ByteRange | undefined, status: number, about: About): number {
  if (range !== undefined && (status !== 206 || headers["content-range"] === undefined))
    throw unproven(about, "the range that was asked for", status);
  const size = Number(headers["content-length"]);
  if (headers["content-length"] === undefined || !Number.isSafeInteger(size)) throw unproven(about, "a length", status);
  return size;
}

function changed(about: About, ifMatch: string, { details }: ObjectFacts): ActivityError {
  return new ActivityError(
    "PreconditionFailed",
    `expected ${nameOf(about)} with ETag ${unquoteEtag(ifMatch)}, found ${details.etag}`,
    {
      httpStatus: 412,
    },
  );
}
