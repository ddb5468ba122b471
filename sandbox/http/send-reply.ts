import type { ServerResponse } from "node:http";
import { bodyChunks, type Body } from "../storage/body.ts";
import type { Call } from "./call.ts";
import type { FaultOptions } from "../behaviour/faults.ts";
import type { Reply } from "./reply.ts";

/** Identifies the server in the way S3's x-amz-id-2 does. */
export const HOST_ID = "c2FuZGJveC5idWNrZXRsaW5lLmVtYmVkZGVkLXMzLXNlcnZlcg==";

/** Sends an answer, cut short where a fault says so. Resolves with the bytes of body sent. */
export function sendReply(
  call: Call,
  response: ServerResponse,
  reply: Reply,
  fault: FaultOptions | undefined,
): number | Promise<number> {
  const { body } = reply;
  const headers = reply.foreign
    ? [...reply.headers]
    : ["x-amz-id-2", HOST_ID, "x-amz-request-id", call.requestId, "Server", "AmazonS3", ...reply.headers];
  const cut = fault?.kind === "truncate" || fault?.kind === "stall-body" ? fault : undefined;
  if (typeof body === "string") {
    const bytes = Buffer.from(body);
    headers.push("Content-Length", String(bytes.length));
    response.writeHead(reply.status, headers);
    if (cut !== undefined) return sendPart(response, [bytes], bytes.length, cut);
    response.end(bytes);
    return bytes.length;
  }
  if (body === undefined) {
    if (reply.status !== 204 && reply.status !== 304) headers.push("Content-Length", String(reply.length ?? 0));
    response.writeHead(reply.status, headers);
    if (cut !== undefined) return sendPart(response, [], 0, cut);
    response.end();
    return 0;
  }
  headers.push("Content-Length", String(body.size));
  response.writeHead(reply.status, headers);
  if (cut !== undefined) return sendPart(response, bodyChunks(body), body.size, cut);
  return sendBody(response, body);
}

function sendBody(response: ServerResponse, body: Body): number | Promise<number> {
  const [only, more] = body.extents;
  if (only === undefined || (more === undefined && only.kind === "bytes")) {
    response.end(only?.kind === "bytes" ? only.bytes : undefined);
    return body.size;
  }
  return writeChunks(response, bodyChunks(body)).then((sent) => {
    response.end();
    return sent;
  });
}

async function writeChunks(response: ServerResponse, chunks: Iterable<Buffer>): Promise<number> {
  let sent = 0;
  for (const chunk of chunks) {
    if (response.destroyed) break;
    sent += chunk.length;
    if (!response.write(chunk)) await drained(response);
  }
  return sent;
}

/** Sends the first bytes, then closes the connection (truncate) or leaves it hanging (stall-body). */
async function sendPart(
  response: ServerResponse,
  chunks: Iterable<Buffer>,
  size: number,
  fault: FaultOptions,
): Promise<number> {
  const limit = Math.min(fault.afterBytes ?? Math.floor(size / 2), Math.max(0, size - 1));
  response.flushHeaders();
  const sent = await writeChunks(response, firstBytes(chunks, limit));
  if (fault.kind === "truncate") response.socket?.end();
  return sent;
}

function* firstBytes(chunks: Iterable<Buffer>, limit: number): Generator<Buffer> {
  let left = limit;
  for (const chunk of chunks) {
    if (left === 0) return;
    const part = chunk.subarray(0, left);
    left -= part.length;
    yield part;
  }
}

function drained(response: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = () => {
    response.off("drain", done);
    response.off("close", done);
    resolve();
  };
  response.on("drain", done);
  response.on("close", done);
  return promise;
}
