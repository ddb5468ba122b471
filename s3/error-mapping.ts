import { ActivityError } from "../model/activity-error.ts";
import { foreignCode } from "../model/error-codes.ts";
import { isThrottle as saysSlowDown, THROTTLES } from "../model/throttle.ts";

/** What was asked for: names the thing in the sentence of an error. */
export type About = {
  /** The SDK's name of the operation, such as `CopyObject`. */
  readonly operation: string;
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
  readonly versionId?: string | undefined;
  /** The source of a copy. */
  readonly from?:
    | { readonly bucket: string; readonly key: string; readonly versionId?: string | undefined }
    | undefined;
  /** Where the request went: a URL, or `AWS in eu-central-1`. */
  readonly store?: string | undefined;
};

/** The parts of SDK, STS, undici and Node errors that are read here; all of them may be missing. */
type RawError = {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly Code?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
  readonly BucketName?: unknown;
  readonly tryNextLink?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string; readonly attempts?: number };
};

// Clears by itself: fresh credentials, a corrected clock, a finished rival operation, or bytes that arrive whole this time.
const TRANSIENT = new Set([
  "ExpiredToken",
  "ExpiredTokenException",
  "RequestExpired",
  "RequestTimeTooSkewed",
  "RequestTimeout",
  "RequestTimeoutException",
  "InternalError",
  "ServiceUnavailable",
  "OperationAborted",
  "ConditionalRequestConflict",
  "IncompleteBody",
  "BadDigest",
  "XAmzContentSHA256Mismatch",
  "XAmzContentChecksumMismatch",
  "NoSuchUpload",
]);
const CREDENTIALS = new Set(["CredentialsProviderError", "TokenProviderError", "ProviderError"]);
const TIMEOUTS = new Set([
  "ETIMEDOUT",
  "ESOCKETTIMEDOUT",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
]);
const NETWORK =
  /^(E(CONN|PIPE|HOST|NET|AI_|NOTFOUND|ADDR|PROTO)|UND_ERR_|HPE_|ERR_STREAM_PREMATURE_CLOSE$|ERR_SSL|ERR_HTTP2|ERR_PROXY)/;
const CERTIFICATE = /CERT|^DEPTH_ZERO|^UNABLE_TO_(VERIFY|GET_ISSUER)|^ERR_TLS/;
// What answers without a body, HEAD above all, say only by their status.
const CODE_BY_STATUS: Readonly<Record<number, string>> = {
  400: "BadRequest",
  401: "AccessDenied",
  403: "AccessDenied",
  405: "MethodNotAllowed",
  407: "ProxyAuthenticationRequired",
  408: "RequestTimeout",
  409: "OperationAborted",
  412: "PreconditionFailed",
  416: "InvalidRange",
  429: "TooManyRequests",
  500: "InternalError",
  501: "NotImplemented",
  502: "ServiceUnavailable",
  503: "ServiceUnavailable",
  504: "ServiceUnavailable",
};
const NAMELESS = new Set(["", "Error", "Unknown", "UnknownError", "NotFound", "Forbidden", "BadRequest", "TypeError"]);

/** True where the store asked for fewer requests, or was too busy to answer at all: no reason to ask it any faster. */
export function isThrottle(error: unknown): boolean {
  return error instanceof ActivityError && (saysSlowDown(error) || error.httpStatus === 503);
}

/** True where it is unknown whether the store did what was asked: the request was sent, and no proper answer came. */
export function isUnknownOutcome(error: unknown): boolean {
  return (
    error instanceof ActivityError &&
    (["NetworkError", "Timeout", "UnprovenResponse", "InternalError"].includes(error.code) ||
      (error.httpStatus ?? 0) >= 500)
  );
}

/** An answer that looks like success and does not prove it. Nothing may be built on it, so it is asked for again. */
export function unproven(about: About, expected: string, httpStatus?: number): ActivityError {
  return new ActivityError(
    "UnprovenResponse",
    `${about.operation} of ${nameOf(about)} answered without proof: expected ${expected}`,
    {
      retryable: true,
      httpStatus,
    },
  );
}

/** `s3://in/a.txt`, with its version where one was named. */
export function nameOf({ bucket, key, versionId, from, store }: Omit<About, "operation">): string {
  if (bucket === undefined) return store ?? "the store";
  if (key === undefined) return `bucket ${bucket}`;
  // A key may hold a line break, which would forge a line of a log.
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  const shown = key.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (char) =>
    JSON.stringify(char).slice(1, -1),
  );
  const name = `s3://${bucket}/${shown}${versionId === undefined ? "" : ` version ${versionId}`}`;
  return from === undefined ? name : `${nameOf({ ...from })} to ${name}`;
}

/** Turns whatever the SDK, undici, Node or a credential provider threw into the one error of Bucketline. */
export function toActivityError(thrown: unknown, about: About): ActivityError {
  if (thrown instanceof ActivityError) return thrown;
  // An unknown thrown value: every field is checked before it is used.
  const error = (typeof thrown === "object" && thrown !== null ? thrown : { message: String(thrown) }) as RawError;
  if (error.cause instanceof ActivityError) return error.cause;
  if (typeof error.name === "string" && CREDENTIALS.has(error.name)) return credentialsError(error, about);
  const status = error.$metadata?.httpStatusCode;
  if (status !== undefined && status >= 200 && status < 300) return damagedAnswer(error, about, status);
  if (status === undefined) return transportError(error, about);
  const code = codeOf(error, about, status);
  return new ActivityError(foreignCode(code), sentence(code, error, about), {
    retryable: TRANSIENT.has(code) || THROTTLES.has(code) || status === 429 || (status >= 500 && status !== 501),
    httpStatus: status,
    requestId: shortId(error.$metadata?.requestId),
    cause: thrown,
  });
}

function codeOf(error: RawError, about: About, status: number): string {
  const named = [error.Code, error.name].find((name) => typeof name === "string" && !NAMELESS.has(name));
  if (typeof named === "string") return /^[A-Za-z][A-Za-z0-9._-]{1,63}$/.test(named) ? named : "UnknownError";
  if (status === 404)
    return about.versionId !== undefined ? "NoSuchVersion" : about.key === undefined ? "NoSuchBucket" : "NoSuchKey";
  // S3 says SlowDown in a body, which the answer to HEAD cannot have.
  if (status === 503 && about.operation.startsWith("Head")) return "SlowDown";
  return CODE_BY_STATUS[status] ?? "UnknownError";
}

function sentence(code: string, error: RawError, about: About): string {
  const name = nameOf(about);
  const said = quoteStore(error.message);
  // Of a copy, only the source can be missing.
  const wanted = nameOf(about.from ?? about);
  switch (code) {
    case "NoSuchKey":
      return `no object ${wanted}`;
    case "NoSuchVersion":
      return `no ${wanted}`;
    case "NoSuchBucket":
      return `no bucket ${isBucket(error.BucketName) ? error.BucketName : bucketsOf(about)}`;
    case "AccessDenied":
    case "AllAccessDisabled":
    case "AccountProblem":
      return `not allowed to ${about.operation} on ${name}${said}`;
    case "PreconditionFailed":
      return `${name} did not meet the condition of ${about.operation}${said}`;
    case "InvalidRange":
      return `expected a range within ${name}${said}`;
    default:
      return `${about.operation} of ${name} failed${said}`;
  }
}

/** What a store calls a request, as it is quoted to its support: a header may be long, and hold anything. */
function shortId(id: string | undefined): string | undefined {
  return id?.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 128);
}

const isBucket = (name: unknown): name is string => typeof name === "string" && /^[\w.-]{1,255}$/.test(name);

function bucketsOf({ bucket = "", from }: About): string {
  return from === undefined || from.bucket === bucket ? bucket : `${from.bucket} or ${bucket}`;
}

function credentialsError(error: RawError, about: About): ActivityError {
  // The provider's own message may hold a command line or a file's content, so it stays in the cause, which never leaves the process.
  return new ActivityError(
    "CredentialsUnavailable",
    `expected credentials for ${nameOf({ store: about.store })}, got none from the provider`,
    {
      retryable: error.tryNextLink !== false && isTransport(error.cause),
      cause: error,
    },
  );
}

function damagedAnswer(error: RawError, about: About, status: number): ActivityError {
  return new ActivityError(
    "UnprovenResponse",
    `${about.operation} of ${nameOf(about)} answered ${status} with a body that S3 does not send`,
    {
      retryable: true,
      httpStatus: status,
      requestId: shortId(error.$metadata?.requestId),
      cause: error,
    },
  );
}

function isTransport(thrown: unknown): boolean {
  const code = typeof thrown === "object" && thrown !== null && "code" in thrown ? String(thrown.code) : "";
  return TIMEOUTS.has(code) || NETWORK.test(code);
}

function transportError(error: RawError, about: About): ActivityError {
  const code = typeof error.code === "string" ? error.code : "";
  const where = about.store ?? "the store";
  const why = quoteStore(error.message === "" ? code : error.message);
  const doing = `${about.operation} of ${nameOf(about)}`;
  if (error.name === "TimeoutError" || TIMEOUTS.has(code))
    return new ActivityError("Timeout", `${where} did not answer ${doing} in time${why}`, {
      retryable: true,
      cause: error,
    });
  if (CERTIFICATE.test(code))
    return new ActivityError("CertificateRejected", `expected a trusted certificate from ${where}${why}`, {
      cause: error,
    });
  if (NETWORK.test(code) || error.message === "socket hang up" || error.message === "aborted")
    return new ActivityError("NetworkError", `could not complete ${doing} at ${where}${why}`, {
      retryable: true,
      cause: error,
    });
  return new ActivityError("InvalidRequest", `could not send ${doing}${why}`, { cause: error });
}

const QUOTED_CHARACTERS = 2000;

/** What the store said, cut short and without anything that could be a credential: some servers echo the headers they were sent. */
function quoteStore(message: unknown): string {
  if (typeof message !== "string" || message === "" || message === "UnknownError") return "";
  // Cut first: a store may say anything, and some of these patterns look again and again at what is long.
  const safe = message
    .slice(0, QUOTED_CHARACTERS)
    .replaceAll(/AWS4-[A-Z0-9-]+.*/gs, "[signature]")
    .replaceAll(/\b(Credential|Signature|X-Amz-[A-Za-z-]+)=[^\s&]+/gi, "$1=[redacted]")
    .replaceAll(/:\/\/[^\s/]*@/g, "://[redacted]@")
    .replaceAll(/\b(AKIA|ASIA)[A-Z0-9]{12,}/g, "[access key]")
    .replaceAll(/\b(Basic|Bearer)\s+[^\s"'<>]+/gi, "$1 [redacted]")
    // In whatever way it is escaped: `%2F`, `\/`.
    .replaceAll(/[A-Za-z0-9/+=_.%\\-]{64,}/g, "[redacted]")
    // The 32 bytes of a customer's key.
    .replaceAll(/(?<![A-Za-z0-9/+])[A-Za-z0-9/+]{43}=/g, "[redacted]")
    .replaceAll(/\s+/g, " ")
    .trim();
  return safe === "" ? "" : `: ${safe.length > 300 ? `${safe.slice(0, 299)}…` : safe}`;
}
