import { ActivityError } from "../../model/activity-error.ts";
import { type About, nameOf } from "../error-mapping.ts";

/** Content that came otherwise than it was promised: another try may bring it whole. */
export function notWhole(about: About, sentence: string): ActivityError {
  return new ActivityError("IncompleteBody", `the content for ${nameOf(about)} is not whole: ${sentence}`, {
    retryable: true,
  });
}
