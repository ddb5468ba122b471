import { STATUS_CODES } from "node:http";
import type { FastifyReply } from "fastify";
import type { z } from "zod";
import { connectionProblem } from "../../redis/connection/problem.ts";
import { foreignMeans, isForeign } from "../../redis/foreign.ts";
import { ActivityError } from "../../model/activity-error.ts";
import type { ErrorCode } from "../../model/error-codes.ts";
import { expectation, shapeOf } from "../../model/problems/expectation.ts";
import { issuesOf, valueAt } from "../../jobs/meant-branch.ts";
import { eachUnknownField, unknownFields } from "../../jobs/unknown-fields.ts";

/** One wrong field of a request. */
export type FieldError = { readonly field: string; readonly message: string };

/** RFC 9457's problem details, with our `code` as in {@link ActivityError}. https://www.rfc-editor.org/rfc/rfc9457 */
export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  readonly field?: string;
  readonly errors?: readonly FieldError[];
};

type Details = {
  readonly field?: string | undefined;
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
};

/** A refusal that becomes the answer of a request as it is. */
export class HttpProblem extends Error {
  override readonly name = "HttpProblem";
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: ErrorCode, detail: string, { field, errors, headers, cause }: Details = {}) {
    super(`${code}: ${detail}`, cause === undefined ? undefined : { cause });
    this.headers = headers ?? {};
    this.problem = makeProblem({ status, code, detail, retryable: status === 429 || status === 503, field, errors });
  }
}

function makeProblem(given: {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly retryable: boolean;
  readonly field?: string | undefined;
  readonly errors?: readonly FieldError[] | undefined;
}): Problem {
  const { status, code, detail, retryable, field, errors } = given;
  const title = STATUS_CODES[status] ?? "Error";
  return {
    type: `urn:bucketline:problem:${code}`,
    title,
    status,
    detail,
    code,
    retryable,
    ...(field !== undefined && { field }),
    ...(errors !== undefined && { errors }),
  };
}

/** How our errors read over HTTP; a code that is not here is 500. */
const STATUS: Readonly<Record<string, number>> = {
  InvalidInput: 422,
  UnknownActivity: 404,
  IdempotencyConflict: 409,
  JobExpired: 404,
  JobNotFailed: 409,
  WaitTimeout: 408,
  RedisUnavailable: 503,
  RedisRefused: 503,
  RedisKeyTaken: 409,
  ProducerClosed: 503,
  DocumentNotFound: 404,
  DocumentExpired: 410,
  DocumentIncomplete: 400,
  DocumentCorrupt: 500,
  DiskFull: 507,
  BatchNotFound: 404,
  BatchOverlap: 422,
  UnresolvableAlias: 422,
  NotPlanned: 409,
  PlanExpired: 410,
  BatchNotEnded: 409,
  NothingToRetry: 409,
  ReportIncomplete: 410,
};

/** A job's error has the store's own code, which may be called as anything. */
const statusOf = (code: string): number | undefined => (Object.hasOwn(STATUS, code) ? STATUS[code] : undefined);

/** What Redis suffers from, where that is what an error says: it is away, or answers that it can do nothing now (full, a replica, busy). */
function redisTrouble(error: Error): string | undefined {
  if (connectionProblem(error) !== "transient") return undefined;
  // Redis says no more than which command it refuses, and why.
  if (error.name === "ReplyError") return `Redis refuses: ${error.message.replace(/\s+script: .*$/s, "")}`;
  return "Redis does not answer";
}

/** What the asker is told of an error; `unexpected` where it is a fault of ours, to be logged and not to be shown. */
export function problemOf(error: unknown): {
  problem: Problem;
  headers: Readonly<Record<string, string>>;
  unexpected: boolean;
} {
  if (error instanceof HttpProblem) return { problem: error.problem, headers: error.headers, unexpected: false };
  if (error instanceof ActivityError && statusOf(error.code) !== undefined) return ofActivityError(error);
  if (!(error instanceof Error)) return unexpected();
  if (isForeign(error)) return ofActivityError(new ActivityError("RedisKeyTaken", foreignMeans(error)));
  const trouble = redisTrouble(error);
  if (trouble !== undefined) {
    const detail = `${trouble}; this request may be repeated`;
    const problem = makeProblem({ status: 503, code: "RedisUnavailable", detail, retryable: true });
    return { problem, headers: { "retry-after": "2" }, unexpected: false };
  }
  const status = "statusCode" in error && typeof error.statusCode === "number" ? error.statusCode : 500;
  if (status < 400 || status > 499) return unexpected();
  const [code, detail] = ofFastify(error);
  return { problem: makeProblem({ status, code, detail, retryable: status === 429 }), headers: {}, unexpected: false };
}

function ofActivityError(error: ActivityError) {
  const status = statusOf(error.code) ?? 500;
  const { code, message, retryable, field } = error;
  const detail = message.replace(`${code}: `, "");
  return {
    problem: makeProblem({ status, code, detail, retryable, field }),
    headers: status === 503 ? { "retry-after": "2" } : {},
    unexpected: status === 500,
  };
}

function unexpected() {
  const detail = "the dashboard failed at this request; its log says why";
  return {
    problem: makeProblem({ status: 500, code: "InternalError", detail, retryable: false }),
    headers: {},
    unexpected: true,
  };
}

/** Fastify's own refusals, by its codes. https://fastify.dev/docs/latest/Reference/Errors/#codes */
function ofFastify(error: Error): [code: string, detail: string] {
  switch ("code" in error ? error.code : "") {
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return ["UnsupportedMediaType", "expected Content-Type: application/json"];
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return ["BodyTooLarge", "the body is larger than this route takes"];
    case "FST_ERR_CTP_EMPTY_JSON_BODY":
      return ["InvalidInput", "body: expected JSON, got nothing"];
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return ["InvalidInput", "expected a body as long as Content-Length says"];
    default:
      return [
        "InvalidRequest",
        error instanceof SyntaxError || /JSON/.test(error.message) ? "body: expected valid JSON" : error.message,
      ];
  }
}

/** The wrong fields of a request. `place` is where they were: `query`, `body`. Values are not repeated: they may be secrets. */
export function fieldErrors(error: z.ZodError, value: unknown, place: string): FieldError[] {
  return issuesOf(error, value).flatMap((issue) => {
    const path = issue.path.map(String).join(".");
    if (issue.code === "unrecognized_keys")
      return eachUnknownField(issue).map(({ key, message }) => ({
        field: path === "" ? key : `${path}.${key}`,
        message,
      }));
    return [{ field: path === "" ? place : path, message: messageOf(issue, value) }];
  });
}

/** A field of another type is often one that is not there at all. */
function messageOf(issue: z.core.$ZodIssue, value: unknown): string {
  const got = valueAt(value, issue.path);
  const tells = got === undefined || issue.code === "invalid_type";
  return tells ? `${expectation(issue)}, got ${shapeOf(got)}` : expectation(issue);
}

/** Throws a 422 that names every wrong field. */
export function parseOr422<Schema extends z.ZodType>(schema: Schema, value: unknown, place: string): z.output<Schema> {
  const parsed = schema.safeParse(value, { error: unknownFields });
  if (parsed.success) return parsed.data;
  const errors = fieldErrors(parsed.error, value, place);
  const detail = `${place}: ${errors.map(({ field, message }) => (field === place ? message : `${field}: ${message}`)).join("; ")}`;
  throw new HttpProblem(422, "InvalidInput", detail, { field: errors[0]?.field, errors });
}

export function sendProblem(
  reply: FastifyReply,
  problem: Problem,
  headers: Readonly<Record<string, string>> = {},
): FastifyReply {
  // What was said of the content that is not sent now.
  for (const name of ["content-length", "content-disposition", "repr-digest"]) reply.removeHeader(name);
  return reply
    .code(problem.status)
    .headers(headers)
    .header("cache-control", "no-store")
    .type("application/problem+json")
    .send(JSON.stringify(problem));
}
