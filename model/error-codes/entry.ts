/** What one error code means, for the type checker, the documentation and the dashboard alike. */
export type ErrorCodeEntry = {
  /**
   * Whether the same call may succeed later without anybody changing anything. `"depends"`: the error itself says so, because the code
   * stands for several situations.
   */
  readonly retryable: boolean | "depends";
  /** The status of the HTTP API's answer, or S3's own. */
  readonly httpStatus?: number;
  /** What happened. */
  readonly meaning: string;
  /** What to do about it. */
  readonly remedy: string;
};

export type ErrorCodeTable = Readonly<Record<string, ErrorCodeEntry>>;
