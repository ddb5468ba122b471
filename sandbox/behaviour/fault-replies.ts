import type { Call } from "../http/call.ts";
import type { Reply } from "../http/reply.ts";
import { S3Error } from "../http/s3-error.ts";
import { HOST_ID } from "../http/send-reply.ts";
import { errorDocument } from "../http/xml.ts";
import type { FaultOptions } from "./faults.ts";

/** The answer of a fault that strikes before the effect; undefined where the operation goes on. */
export function replyBefore(fault: FaultOptions): Reply | undefined {
  if (fault.kind === "status" || fault.kind === "slow-down") {
    const slow = fault.kind === "slow-down";
    throw new S3Error(
      fault.code ?? (slow ? "SlowDown" : "InternalError"),
      fault.message ??
        (slow ? "Please reduce your request rate." : "We encountered an internal error. Please try again."),
      {
        status: fault.status ?? (slow ? 503 : 500),
        headers: fault.retryAfter === undefined ? {} : { "Retry-After": String(fault.retryAfter) },
      },
    );
  }
  return REPLACING.has(fault.kind) && !fault.after ? { status: 200, headers: [] } : undefined;
}

const REPLACING: ReadonlySet<string> = new Set(["error-in-200", "empty-200", "html-200", "proxy-page"]);

/** What becomes of an answer under a fault. */
export function replyAfter(fault: FaultOptions, reply: Reply | undefined, call: Call): Reply | undefined {
  if (fault.kind === "empty-200") return { status: 200, headers: [] };
  if (fault.kind === "html-200") return { status: 200, headers: ["Content-Type", "text/html"], body: WEB_PAGE };
  if (fault.kind === "proxy-page") return proxyPage(fault.status ?? 404);
  if (fault.kind !== "error-in-200") return reply;
  const { code = "InternalError", message = "We encountered an internal error. Please try again." } = fault;
  const body = errorDocument(code, message, { RequestId: call.requestId, HostId: HOST_ID });
  // S3 keeps a slow copy's connection alive with white space; a newline at the end defeats careless parsers.
  return { status: 200, headers: ["Content-Type", "application/xml"], body: `${body}\n` };
}

/** An answer that never came from a store: a proxy's page, without x-amz-request-id. */
export function proxyPage(status: number): Reply {
  const body = `<html><head><title>${status}</title></head><body><center><h1>${status}</h1></center><hr><center>nginx</center></body></html>`;
  return { status, headers: ["Server", "nginx", "Content-Type", "text/html"], body, foreign: true };
}

const WEB_PAGE =
  "<!doctype html><html><head><title>Welcome</title></head><body><p>Sign in to continue</p></body></html>";
