import { redactText } from "../redact.ts";

/** A bucket and a key, both as long as they may be. */
const SUBJECT_SHOWN = 1300;
const MESSAGE_SHOWN = 4096;
const NAME_SHOWN = 256;

/** States under which jobs are listed. */
export const JOB_STATES = ["waiting", "active", "delayed", "failed", "completed"] as const;
export type JobState = (typeof JOB_STATES)[number];

/** The error of a job, as a worker stored it or as BullMQ says it. */
export type JobError = {
  readonly code: string;
  readonly message: string;
  readonly retryable?: boolean;
  readonly httpStatus?: number;
  readonly requestId?: string;
  readonly field?: string;
};

/** Text that should be JSON; `undefined` where it is none, because a foreign hand wrote it. */
export function parseJson(text: string | null | undefined): unknown {
  if (text === null || text === undefined || text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the caller looks at the text itself
  }
}

export function isMalformed(...texts: readonly (string | null | undefined)[]): boolean {
  return texts.some((text) => text !== null && text !== undefined && text !== "" && parseJson(text) === undefined);
}

/** What a job is about, in a line: the objects that its input names. */
export type Subject = { readonly source?: string; readonly destination?: string };

export function subjectOf(data: unknown): Subject {
  if (!isRecord(data)) return {};
  const object = isRecord(data["object"]) ? data["object"] : undefined;
  const destination = isRecord(data["destination"]) ? data["destination"] : undefined;
  const source = object === undefined ? place(data, data["key"] ?? data["prefix"]) : place(object, object["key"]);
  const target = destination && place(destination, destination["key"] ?? object?.["key"]);
  return { ...(source !== undefined && { source }), ...(target !== undefined && { destination: target }) };
}

function place(at: Readonly<Record<string, unknown>>, key: unknown): string | undefined {
  const { bucket } = at;
  if (typeof bucket !== "string") return undefined;
  return redactText(`s3://${bucket}/${typeof key === "string" ? key : ""}`, SUBJECT_SHOWN);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The worker's own error where it belongs to the last attempt, else what BullMQ says. */
export function errorOf(
  stored: string | null | undefined,
  failedReason: string | null | undefined,
): JobError | undefined {
  const fields = parseJson(stored);
  if (isRecord(fields) && typeof fields["code"] === "string" && typeof fields["message"] === "string") {
    const { code, message, retryable, httpStatus, requestId, field } = fields;
    const own = !failedReason || failedReason === message;
    if (own)
      return {
        code: redactText(code, NAME_SHOWN),
        message: redactText(message, MESSAGE_SHOWN),
        ...(typeof retryable === "boolean" && { retryable }),
        ...(typeof httpStatus === "number" && { httpStatus }),
        ...(typeof requestId === "string" && { requestId: redactText(requestId, NAME_SHOWN) }),
        ...(typeof field === "string" && { field: redactText(field, NAME_SHOWN) }),
      };
  }
  return failedReason ? { code: codeIn(failedReason), message: redactText(failedReason, MESSAGE_SHOWN) } : undefined;
}

function codeIn(reason: string): string {
  return (
    /^([A-Z][A-Za-z0-9]{2,63}): /.exec(reason)?.[1] ??
    (/^job (stalled|started) more than/.test(reason) ? "JobStalled" : "JobFailed")
  );
}

/** Milliseconds since 1970 as ISO 8601. */
export function instant(ms: string | number | null | undefined): string | undefined {
  const value = Number(ms);
  // Beyond that Date has no answer, and a foreign hand may have written anything.
  return ms === null || ms === undefined || ms === "" || !(Math.abs(value) <= 8.64e15)
    ? undefined
    : new Date(value).toISOString();
}
