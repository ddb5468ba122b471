import type { ErrorCodeTable } from "./entry.ts";

/**
 * Codes that a store's answer, or the way to it, gives: S3's own names where it has one. A store may send others; they are passed on.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
export const STORE_CODES = {
  NoSuchKey: {
    retryable: false,
    httpStatus: 404,
    meaning: "There is no object of that key.",
    remedy: "Check bucket and key, letter by letter.",
  },
  NoSuchVersion: {
    retryable: false,
    httpStatus: 404,
    meaning: "There is no such version of the object.",
    remedy: "Check the version id.",
  },
  NoSuchBucket: {
    retryable: false,
    httpStatus: 404,
    meaning: "There is no bucket of that name at this store.",
    remedy: "Check the name, and the profile's endpoint and region.",
  },
  NoSuchUpload: {
    retryable: true,
    httpStatus: 404,
    meaning: "The multipart upload was aborted or completed meanwhile.",
    remedy: "Nothing: it is started anew. A lifecycle rule may abort uploads too early.",
  },
  NoSuchTagSet: { retryable: false, httpStatus: 404, meaning: "The object has no tags.", remedy: "Nothing." },
  BucketNotEmpty: {
    retryable: false,
    httpStatus: 409,
    meaning: "Only empty buckets can be deleted; versions and uploads count.",
    remedy: "Delete what is inside first.",
  },
  BucketAlreadyOwnedByYou: {
    retryable: false,
    httpStatus: 409,
    meaning: "The bucket exists and is yours.",
    remedy: "Nothing.",
  },
  AccessDenied: {
    retryable: false,
    httpStatus: 403,
    meaning: "The store does not allow this identity to do this.",
    remedy: "Check the IAM or bucket policy for the operation that the message names.",
  },
  AllAccessDisabled: {
    retryable: false,
    httpStatus: 403,
    meaning: "The store has disabled access to this resource.",
    remedy: "Ask the store's support.",
  },
  AccountProblem: {
    retryable: false,
    httpStatus: 403,
    meaning: "The store has a problem with the account.",
    remedy: "Ask the store's support.",
  },
  InvalidAccessKeyId: {
    retryable: false,
    httpStatus: 403,
    meaning: "The store does not know the access key.",
    remedy: "Check the profile's credentials and endpoint.",
  },
  SignatureDoesNotMatch: {
    retryable: false,
    httpStatus: 403,
    meaning: "The store computed another signature: a wrong secret key, or a proxy that changes requests.",
    remedy: "Check the secret key, then what stands between worker and store.",
  },
  ExpiredToken: {
    retryable: true,
    httpStatus: 400,
    meaning: "The session's credentials have expired.",
    remedy: "Nothing where the provider refreshes them; else give new ones.",
  },
  ExpiredTokenException: {
    retryable: true,
    httpStatus: 400,
    meaning: "The token of the credential provider has expired.",
    remedy: "Sign in anew (for example `aws sso login`).",
  },
  InvalidToken: {
    retryable: false,
    httpStatus: 400,
    meaning: "The session token is not one of this store.",
    remedy: "Check the profile's credentials.",
  },
  RequestExpired: {
    retryable: true,
    httpStatus: 400,
    meaning: "The request was signed too long ago.",
    remedy: "Check the worker's clock and the way to the store.",
  },
  RequestTimeTooSkewed: {
    retryable: true,
    httpStatus: 403,
    meaning: "The worker's clock and the store's differ too much.",
    remedy: "Set the clock (NTP).",
  },
  RequestTimeout: {
    retryable: true,
    httpStatus: 400,
    meaning: "The store waited too long for the request's bytes.",
    remedy: "Nothing where it passes; else look at the network.",
  },
  RequestTimeoutException: {
    retryable: true,
    httpStatus: 400,
    meaning: "The store waited too long for the request's bytes.",
    remedy: "Nothing where it passes; else look at the network.",
  },
  ServiceUnavailable: {
    retryable: true,
    httpStatus: 503,
    meaning: "The store is busy or down.",
    remedy: "Nothing: it is tried again.",
  },
  SlowDown: {
    retryable: true,
    httpStatus: 503,
    meaning: "The store asks for fewer requests. Bucketline slows down by itself.",
    remedy: "Nothing; spread keys over prefixes, or lower the rate, where it stays.",
  },
  TooManyRequests: {
    retryable: true,
    httpStatus: 429,
    meaning: "The store or the HTTP API asks for fewer requests.",
    remedy: "Ask less often.",
  },
  OperationAborted: {
    retryable: true,
    httpStatus: 409,
    meaning: "A rival operation on the same thing is under way.",
    remedy: "Nothing: it is tried again.",
  },
  ConditionalRequestConflict: {
    retryable: true,
    httpStatus: 409,
    meaning: "A rival write met a conditional one.",
    remedy: "Nothing: it is tried again.",
  },
  PreconditionFailed: {
    retryable: "depends",
    httpStatus: 412,
    meaning: "The object did not meet the request's condition.",
    remedy: "Look at what is there now; ask with the condition that fits.",
  },
  InvalidRange: {
    retryable: false,
    httpStatus: 416,
    meaning: "The range lies outside the object.",
    remedy: "Ask for a range within its size.",
  },
  BadDigest: {
    retryable: true,
    httpStatus: 400,
    meaning: "The bytes that arrived are not those that were sent.",
    remedy: "Nothing: it is tried again.",
  },
  XAmzContentSHA256Mismatch: {
    retryable: true,
    httpStatus: 400,
    meaning: "The bytes that arrived are not those that were signed.",
    remedy: "Nothing: it is tried again.",
  },
  XAmzContentChecksumMismatch: {
    retryable: true,
    httpStatus: 400,
    meaning: "The bytes that arrived do not have the checksum that was sent.",
    remedy: "Nothing: it is tried again.",
  },
  IncompleteBody: {
    retryable: true,
    httpStatus: 400,
    meaning: "Content ended before its announced size.",
    remedy: "Nothing: it is tried again.",
  },
  InvalidRequest: {
    retryable: false,
    httpStatus: 400,
    meaning: "The store, or the client before it sent anything, found the request impossible.",
    remedy: "The message says why.",
  },
  BadRequest: {
    retryable: false,
    httpStatus: 400,
    meaning: "The store found the request wrong and did not say why.",
    remedy: "Check region, endpoint and path style of the profile.",
  },
  MethodNotAllowed: {
    retryable: false,
    httpStatus: 405,
    meaning: "The store, or this address of the HTTP API, does not have this operation.",
    remedy: "See docs/conformance.md for what stores lack.",
  },
  NotImplemented: {
    retryable: false,
    httpStatus: 501,
    meaning: "The store does not have this operation or header.",
    remedy: "See docs/conformance.md for what stores lack.",
  },
  MetadataUnreadable: {
    retryable: false,
    meaning: "The object has metadata that no header can carry, so a copy would lose it. Nothing was deleted.",
    remedy: "Copy within one store and without replaced metadata, or give new metadata.",
  },
  Timeout: {
    retryable: true,
    meaning: "The store did not answer in time.",
    remedy: "Nothing where it passes; else look at the network and the profile's timeouts.",
  },
  NetworkError: {
    retryable: true,
    meaning: "The connection to the store failed or broke.",
    remedy: "Check endpoint and network with `bucketline check`.",
  },
  CertificateRejected: {
    retryable: false,
    meaning: "The store's certificate is not trusted.",
    remedy: "Give the CA (`NODE_EXTRA_CA_CERTS`), or correct the endpoint.",
  },
  UnknownError: {
    retryable: "depends",
    meaning: "The store failed without a code that could be read.",
    remedy: "The message has what it said.",
  },
} as const satisfies ErrorCodeTable;
