import { ActivityError } from "../model/activity-error.ts";

/** Trouble on the way, or on the other side, that may pass by itself. */
const PASSING_CODES = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "EPIPE",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EMFILE",
]);
const PASSING_NAMES = new Set([
  "TimeoutError",
  "Throttling",
  "ThrottlingException",
  "RequestLimitExceeded",
  "IDPCommunicationError",
  "InternalFailure",
  "ServiceUnavailable",
  // A token file or the source's credentials are replaced by others; the next attempt reads the new ones.
  "ExpiredToken",
  "ExpiredTokenException",
]);

/** Whose credentials could not be had: for messages. */
export type Asked = { readonly profile: string; readonly provider: string };

/**
 * `CredentialsUnavailable`, retryable where the trouble may pass by itself. It carries no `cause`, because loggers print
 * causes, and what providers throw may quote a helper's output, a command line or a signed header.
 */
export function credentialsUnavailable(
  asked: Asked,
  reason: string,
  options: { readonly retryable: boolean },
): ActivityError {
  return new ActivityError(
    "CredentialsUnavailable",
    `profile ${asked.profile}, provider ${asked.provider}: ${reason}`,
    options,
  );
}

/** Turns what a provider of the SDK threw into `CredentialsUnavailable` with nothing in it that may be secret. */
export function fromProviderError(asked: Asked, error: unknown): ActivityError {
  if (error instanceof ActivityError) return error;
  const facts = factsOf(error);
  const status = facts.status;
  const retryable =
    PASSING_CODES.has(facts.code) ||
    PASSING_NAMES.has(facts.name) ||
    (status !== undefined && (status >= 500 || status === 429));
  return credentialsUnavailable(asked, reasonOf(facts), { retryable });
}

type Facts = {
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly path: string | undefined;
};

function factsOf(error: unknown): Facts {
  const fields = (typeof error === "object" && error !== null ? error : {}) as Record<string, unknown>; // read field by field below
  const metadata = (typeof fields["$metadata"] === "object" ? fields["$metadata"] : undefined) as
    | { readonly httpStatusCode?: number; readonly requestId?: string }
    | undefined; // the SDK's ResponseMetadata, on errors that a service answered with
  return {
    name: text(fields["name"]),
    code: text(fields["code"]),
    message: text(fields["message"]),
    status: metadata?.httpStatusCode,
    requestId: metadata?.requestId,
    path: text(fields["path"]) || undefined,
  };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function reasonOf({ name, code, message, status, requestId, path }: Facts): string {
  if (path !== undefined && code !== "") return `cannot read ${path} (${code})`;
  if (PASSING_CODES.has(code)) return `the provider cannot be reached (${code})`;
  if (status !== undefined) {
    const asked = requestId === undefined ? "" : ` (request ${requestId})`;
    return `the service answered ${status} ${name}: ${withoutSecrets(message)}${asked}`;
  }
  if (name === "TimeoutError") return "the provider did not answer in time";
  // AWS's own process provider puts the helper's command line and standard error into its message.
  if (name === "CredentialsProviderError" && !message.startsWith("Command failed")) return withoutSecrets(message);
  return `the provider failed (${name === "" ? "no error name" : name})`;
}

/** One line without anything as long as a key or token: a signature error of STS quotes what was signed, session token included. */
function withoutSecrets(message: string): string {
  const line = message.slice(0, 4000).split("\n", 1)[0] ?? "";
  return line
    .replaceAll(/\b(?:AKIA|ASIA)[A-Z0-9]{8,}/g, "[access key]")
    .replaceAll(/[A-Za-z0-9+/=_%-]{40,}/g, "[redacted]")
    .slice(0, 300);
}
