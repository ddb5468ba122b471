import { ActivityError } from "../../model/activity-error.ts";
import { diskFull } from "../errors.ts";

/** EFBIG: the process may not write larger files (`ulimit -f`), or the file system cannot hold them. */
const FULL = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** Goes by itself: too many open files, a device or network file system that hiccups. */
const PASSING = new Set(["EMFILE", "ENFILE", "ENOMEM", "EAGAIN", "EBUSY", "EIO", "ETIMEDOUT", "ESTALE", "EINTR"]);

/** Turns an error of the file system into ours; anything else (typed errors, a signal's reason) passes unchanged. */
export function fileStoreError(error: unknown, location: string, doing: string): unknown {
  if (!(error instanceof Error) || error instanceof ActivityError || !("syscall" in error) || !("code" in error))
    return error;
  const code = String(error.code);
  if (FULL.has(code)) return diskFull(location, error);
  return new ActivityError("DocumentStoreFailed", `${location} could not ${doing}: ${error.message}`, {
    retryable: PASSING.has(code),
    cause: error,
  });
}
