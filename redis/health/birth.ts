import { createHash } from "node:crypto";
import { canonicalJson } from "../../model/canonical-json.ts";

/**
 * Tells a job from another one that has its id: an id comes again once its job is removed, by an app that names its jobs itself. Made of when the job
 * was added and of what it was asked, so it stays the same for as long as the job lives, through every attempt and every retry by hand.
 *
 * @param job its timestamp in milliseconds, and its input as it stands in Redis
 */
export function birthOf({ timestamp, data }: { readonly timestamp: number; readonly data: unknown }): string {
  return createHash("sha256")
    .update(`${timestamp}\n${canonicalJson(data ?? null)}`)
    .digest("hex")
    .slice(0, 32);
}
