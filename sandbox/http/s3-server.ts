import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { authenticate } from "../auth/authenticate.ts";
import { newRequestId, parseCall, type Call } from "./call.ts";
import { checkHeaders } from "./check-headers.ts";
import { corsHeaders } from "../operations/configuration/cors.ts";
import { handleControl, isControlPath, type Control } from "./control.ts";
import { proxyPage, replyAfter, replyBefore } from "../behaviour/fault-replies.ts";
import type { FaultOptions, Faults } from "../behaviour/faults.ts";
import type { Hooks } from "../behaviour/hooks.ts";
import type { OperationLog } from "./operation-log.ts";
import { operations } from "../operations/handlers.ts";
import { errorReply, type Reply } from "./reply.ts";
import { S3Error } from "./s3-error.ts";
import { HOST_ID, sendReply } from "./send-reply.ts";
import type { World } from "../storage/world.ts";

export type S3ServerParts = {
  world: World;
  faults: Faults;
  hooks: Hooks;
  log: OperationLog;
  latencyMs: number;
  /** Names under which the server is reached path-style; a label before one of them is a bucket. */
  hosts: readonly string[];
  control?: Control | undefined;
};

/** The HTTP server: one request in, one answer out, through the steps of `answer`. */
export function createS3Server(parts: S3ServerParts): Server {
  const bucketOfHost = hostParser(parts.hosts);
  const serve = (request: IncomingMessage, response: ServerResponse, sendContinue?: () => void) => {
    if (parts.control !== undefined && isControlPath(request.url)) {
      handleControl(parts.control, request, response);
      return;
    }
    let call: Call;
    try {
      call = parseCall(request, bucketOfHost);
    } catch (error) {
      sendUnparsed(request, response, error);
      return;
    }
    if (sendContinue !== undefined) call.sendContinue = sendContinue;
    answer(parts, call, response).catch((error: unknown) =>
      response.destroy(error instanceof Error ? error : undefined),
    );
  };
  const server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0, maxHeaderSize: 64 * 1024 }, serve);
  server.on("checkContinue", (request, response) => serve(request, response, () => response.writeContinue()));
  // S3 does as if an expectation that it does not know were not there; Node would answer 417.
  server.on("checkExpectation", serve);
  return server;
}

async function answer(parts: S3ServerParts, call: Call, response: ServerResponse): Promise<void> {
  let fault: FaultOptions | undefined;
  let code: string | undefined;
  let reply: Reply | undefined;
  try {
    checkHeaders(call, parts.world);
    if (call.operation !== "Preflight") authenticate(call, parts.world);
    fault = parts.faults.strike(call);
    reply = fault === undefined ? undefined : replyBefore(fault);
    reply ??= isSilentBefore(fault) ? undefined : await perform(parts, call);
  } catch (error) {
    const refusal = asS3Error(error);
    code = refusal.code;
    const byProxy = refusal.status === 404 && parts.world.quirks.proxyNotFound === true;
    reply = byProxy ? proxyPage(404) : errorReply(refusal, { ...call, hostId: HOST_ID, path: call.rawPath });
  }
  if (call.headers.origin !== undefined && call.operation !== "Preflight" && reply !== undefined)
    reply = { ...reply, headers: [...reply.headers, ...corsHeaders(call, parts.world)] };
  if (fault !== undefined) reply = replyAfter(fault, reply, call);
  const delay = parts.latencyMs + (fault?.kind === "latency" ? (fault.delayMs ?? 0) : 0);
  if (delay > 0) await pause(delay, response);
  const silent = fault?.kind === "stall" || fault?.kind === "reset" || fault?.kind === "reset-after";
  parts.log.record(call, {
    status: silent ? 0 : (reply?.status ?? 0),
    code,
    bytes: bodySize(reply),
    fault: fault?.kind,
  });
  if (fault?.kind === "reset" || fault?.kind === "reset-after") call.request.socket.resetAndDestroy();
  else if (reply !== undefined && !silent)
    await sendReply(call, response, call.method === "HEAD" ? withoutBody(reply) : reply, fault);
}

async function perform({ hooks, world }: S3ServerParts, call: Call): Promise<Reply> {
  const before = hooks.run("before", call);
  if (before !== undefined) await before;
  const reply = await operations[call.operation](call, world);
  const after = hooks.run("after", call);
  if (after !== undefined) await after;
  return reply;
}

function isSilentBefore(fault: FaultOptions | undefined): boolean {
  return fault?.kind === "reset" || (fault?.kind === "stall" && !fault.after);
}

function asS3Error(error: unknown): S3Error {
  if (error instanceof S3Error) return error;
  const internal = new S3Error(
    "InternalError",
    `The sandbox failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
  internal.cause = error;
  return internal;
}

function sendUnparsed(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  const requestId = newRequestId();
  const reply = errorReply(asS3Error(error), {
    method: request.method ?? "GET",
    requestId,
    hostId: HOST_ID,
    path: request.url ?? "",
  });
  const body = typeof reply.body === "string" ? reply.body : "";
  response.writeHead(reply.status, [
    "x-amz-request-id",
    requestId,
    ...reply.headers,
    "Content-Length",
    String(Buffer.byteLength(body)),
  ]);
  response.end(body);
}

function withoutBody(reply: Reply): Reply {
  if (reply.body === undefined) return reply;
  const { body, ...rest } = reply;
  return { ...rest, length: typeof body === "string" ? Buffer.byteLength(body) : body.size };
}

function bodySize(reply: Reply | undefined): number {
  if (reply?.body === undefined) return 0;
  return typeof reply.body === "string" ? reply.body.length : reply.body.size;
}

function pause(ms: number, response: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  // A closed connection needs no answer: close() must not wait for the timer.
  response.once("close", () => {
    clearTimeout(timer);
    resolve();
  });
  return promise;
}

function hostParser(hosts: readonly string[]): (host: string) => string | undefined {
  const known = new Map<string, string | undefined>();
  return (host) => {
    if (known.has(host)) return known.get(host);
    const name = host.replace(/:\d+$/, "").toLowerCase();
    const base = hosts.find((one) => name.endsWith(`.${one}`));
    const bucket = base === undefined ? undefined : name.slice(0, -base.length - 1);
    if (known.size > 10_000) known.clear();
    known.set(host, bucket);
    return bucket;
  };
}
