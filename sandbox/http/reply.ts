import type { Body } from "../storage/body.ts";
import { errorDocument } from "./xml.ts";
import type { S3Error } from "./s3-error.ts";

/** An answer before it is sent: headers as a flat list of names and values. */
export type Reply = {
  status: number;
  headers: string[];
  /** Text, or the content of an object. HEAD answers carry `length` instead. */
  body?: string | Body;
  /** The Content-Length of a HEAD answer. */
  length?: number;
  /** The store never saw the request: the answer has none of its ids. */
  foreign?: true;
};

/** An XML answer. */
export function xmlReply(body: string, headers: string[] = []): Reply {
  return { status: 200, headers: ["Content-Type", "application/xml", ...headers], body };
}

/** An answer without a body. */
export function emptyReply(status: number, headers: string[] = []): Reply {
  return { status, headers };
}

/** An error as S3 sends it; HEAD and 304 have no body. */
export function errorReply(
  error: S3Error,
  request: { method: string; requestId: string; hostId: string; path: string },
): Reply {
  const headers: string[] = [];
  for (const [name, value] of Object.entries(error.headers)) headers.push(name, value);
  if (request.method === "HEAD" || error.status === 304) return { status: error.status, headers };
  const body = errorDocument(error.code, error.message, {
    ...error.elements,
    RequestId: request.requestId,
    HostId: request.hostId,
  });
  return { status: error.status, headers: ["Content-Type", "application/xml", ...headers], body };
}
