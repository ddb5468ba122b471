import { redactText } from "./redact.ts";

const DEEPEST_CAUSE = 5;
const LONGEST = 4096;

/** An error as it is logged. */
export type LoggedError = {
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string;
  readonly cause?: LoggedError;
};

/**
 * The one serializer of errors for the dashboard's log. Only what is named here is written: ioredis hangs the command that failed on its
 * errors, with the password where it was AUTH and with what a job holds where it was a script.
 */
export function errorForLog(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: redactText(String(error), LONGEST) };
  return {
    type: error.name,
    message: redactText(error.message, LONGEST),
    ...(error.stack !== undefined && { stack: redactText(error.stack, 2 * LONGEST) }),
    ...("code" in error && typeof error.code === "string" && { code: redactText(error.code, LONGEST) }),
    ...(error.cause !== undefined && depth < DEEPEST_CAUSE && { cause: errorForLog(error.cause, depth + 1) }),
  };
}
