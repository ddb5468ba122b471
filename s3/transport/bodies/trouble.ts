import { ActivityError } from "../../../model/activity-error.ts";
import { type About, nameOf } from "../../error-mapping.ts";

/** A store that stopped in the middle of a body. */
export function silent(about: About, idleTimeoutMs: number): ActivityError {
  const sentence = `no byte of ${nameOf(about)} arrived in ${idleTimeoutMs} ms`;
  return new ActivityError("Timeout", sentence, { retryable: true });
}

/** A body that is not as long as was promised. */
export function incomplete(about: About, size: number, got: string): ActivityError {
  const sentence = `expected ${size} bytes of ${nameOf(about)}, got ${got}`;
  return new ActivityError("IncompleteBody", sentence, { retryable: true });
}
