import type { ActivityError } from "./activity-error.ts";

/** S3's and compatible stores' names for "slow down". https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
export const THROTTLES: ReadonlySet<string> = new Set([
  "SlowDown",
  "Throttling",
  "ThrottlingException",
  "ThrottledException",
  "RequestThrottled",
  "RequestThrottledException",
  "RequestLimitExceeded",
  "TooManyRequests",
  "TooManyRequestsException",
  "BandwidthLimitExceeded",
  "ProvisionedThroughputExceededException",
]);

/** True where the store asked for fewer requests in so many words: that says nothing of what was asked, and uses up no attempt. */
export function isThrottle({ code, httpStatus }: ActivityError): boolean {
  return THROTTLES.has(code) || httpStatus === 429;
}
