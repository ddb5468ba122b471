import { type ErrorCode, foreignCode } from "./error-codes.ts";

/** The wire form of an {@link ActivityError}: what crosses Redis and HTTP. */
export type ActivityErrorFields = {
  /** S3's own code (`NoSuchKey`, `AccessDenied`) or one of ours (`InvalidInput`, `SourceChanged`). */
  readonly code: string;
  /** One sentence that names the thing and what was expected; starts with the code. */
  readonly message: string;
  /** True when the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean;
  readonly httpStatus?: number;
  /** S3's request id, to quote to the store's support. */
  readonly requestId?: string;
  /** Where the input was wrong, as a path such as `destination.bucket`. */
  readonly field?: string;
};

type Options = {
  readonly retryable?: boolean;
  readonly httpStatus?: number | undefined;
  readonly requestId?: string | undefined;
  readonly field?: string | undefined;
  readonly cause?: unknown;
};

/**
 * The one error of Bucketline: what an activity, a producer call or a document store fails with.
 * `message` is `Code: sentence`, so a log line or a dashboard cell needs nothing else.
 */
export class ActivityError extends Error implements ActivityErrorFields {
  override readonly name = "ActivityError";
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly httpStatus?: number;
  readonly requestId?: string;
  readonly field?: string;

  constructor(code: ErrorCode, sentence: string, options: Options = {}) {
    const asked = options.requestId === undefined ? "" : ` (request ${options.requestId})`;
    super(`${code}: ${sentence}${asked}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    if (options.httpStatus !== undefined) this.httpStatus = options.httpStatus;
    if (options.requestId !== undefined) this.requestId = options.requestId;
    if (options.field !== undefined) this.field = options.field;
  }

  /** The fields that may cross a process boundary; never the cause, which may hold anything. */
  toJSON(): ActivityErrorFields {
    return {
      code: this.code,
      message: this.message,
      retryable: this.retryable,
      ...(this.httpStatus !== undefined && { httpStatus: this.httpStatus }),
      ...(this.requestId !== undefined && { requestId: this.requestId }),
      ...(this.field !== undefined && { field: this.field }),
    };
  }

  /** Rebuilds an error from its wire form. The message already carries code and request id. */
  static fromJSON(fields: ActivityErrorFields): ActivityError {
    const { code, message, ...rest } = fields;
    const error = new ActivityError(foreignCode(code), "", rest);
    error.message = message;
    return error;
  }
}
