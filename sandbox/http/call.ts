import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { routeOperation, type Operation } from "./operation.ts";
import { S3Error } from "./s3-error.ts";

/** One request, taken apart but not yet checked. */
export type Call = {
  operation: Operation;
  method: string;
  /** The path as it came, undecoded. */
  rawPath: string;
  /** The query as it came, undecoded, without `?`. */
  rawQuery: string;
  bucket: string;
  key: string;
  query: ReadonlyMap<string, string>;
  headers: IncomingHttpHeaders;
  requestId: string;
  request: IncomingMessage;
  /** Set by authentication: who calls, and for which region the request was signed. */
  account: string;
  accessKeyId: string;
  region: string;
  /** Set by authentication when the body's chunks are signed as well. */
  chunkSigning?: ChunkSigning;
  /** Tells a client that waits for `100 Continue` to send its body. */
  sendContinue: () => void;
};

export type ChunkSigning = { key: Buffer; date: string; scope: string; seed: string };

const NO_QUERY: ReadonlyMap<string, string> = new Map();

let requestCount = Math.floor(Math.random() * 0xffff) * 0x1000000;

/** Sixteen hex digits, unique in this process. */
export function newRequestId(): string {
  return (++requestCount).toString(16).toUpperCase().padStart(16, "4442587FB7D0A2F9");
}

/**
 * Takes a request apart by hand: the path must survive byte for byte, so nothing may resolve `.`, `..` or `//`.
 *
 * @throws S3Error InvalidURI for escapes that are no UTF-8, MethodNotAllowed and NotImplemented for what the sandbox does not speak
 */
export function parseCall(request: IncomingMessage, bucketOfHost: (host: string) => string | undefined): Call {
  const url = request.url ?? "/";
  const mark = url.indexOf("?");
  const rawPath = mark < 0 ? url : url.slice(0, mark);
  const rawQuery = mark < 0 ? "" : url.slice(mark + 1);
  const query = rawQuery === "" ? NO_QUERY : parseQuery(rawQuery);
  const method = request.method ?? "GET";
  const { bucket, key } = splitPath(rawPath, bucketOfHost(request.headers.host ?? ""));
  return {
    operation: routeOperation({ method, bucket, key, query, headers: request.headers }),
    method,
    rawPath,
    rawQuery,
    bucket,
    key,
    query,
    headers: request.headers,
    requestId: newRequestId(),
    request,
    account: "",
    accessKeyId: "",
    region: "",
    sendContinue: noContinue,
  };
}

/** A header's value; node joins repeated ones. */
export function header(call: Call, name: string): string | undefined {
  const value = call.headers[name];
  return Array.isArray(value) ? value.join(",") : value;
}

/** Percent-decodes UTF-8. `+` stays `+`. */
export function decodePercent(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    const error = new S3Error("InvalidURI", "Couldn't parse the specified URI.", { elements: { URI: text } });
    error.cause = cause;
    throw error;
  }
}

/** Decodes a query string; `+` is a space there. */
export function parseQuery(raw: string): Map<string, string> {
  const query = new Map<string, string>();
  for (const pair of raw.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = equals < 0 ? pair : pair.slice(0, equals);
    const value = equals < 0 ? "" : pair.slice(equals + 1);
    query.set(decodePercent(name.replaceAll("+", " ")), decodePercent(value.replaceAll("+", " ")));
  }
  return query;
}

function splitPath(rawPath: string, hostBucket: string | undefined): { bucket: string; key: string } {
  if (hostBucket !== undefined) return { bucket: hostBucket, key: decodePercent(rawPath.slice(1)) };
  const slash = rawPath.indexOf("/", 1);
  if (slash < 0) return { bucket: decodePercent(rawPath.slice(1)), key: "" };
  return { bucket: decodePercent(rawPath.slice(1, slash)), key: decodePercent(rawPath.slice(slash + 1)) };
}

function noContinue(): void {
  // Most clients send the body at once.
}
