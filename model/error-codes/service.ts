import type { ErrorCodeTable } from "./entry.ts";

/** Codes of the processes themselves: configuration, Redis, the dashboard and its HTTP API. */
export const SERVICE_CODES = {
  InvalidConfiguration: {
    retryable: false,
    meaning: "The configuration cannot be used; the process did not start. Every problem is in one list.",
    remedy: "Correct what is listed; docs/configuration.md has every variable.",
  },
  ClockSkewed: {
    retryable: false,
    meaning:
      "The machine's clock is too far from that of Redis, by which delays, results and leases are counted. The worker did not start.",
    remedy: "Set the clock by NTP. A worker in a process of its own corrects up to a day by itself.",
  },
  UnsafeRedis: {
    retryable: false,
    meaning:
      "This Redis would lose jobs or cannot run them: too old, it may evict keys, or it is not the node that holds them.",
    remedy: "The message says which setting to change.",
  },
  RedisUnavailable: {
    retryable: true,
    httpStatus: 503,
    meaning: "Redis did not answer in time, or the connection broke. What was asked may or may not have been done.",
    remedy: "Ask again with the same job id or idempotency key: nothing is added twice.",
  },
  RedisRefused: {
    retryable: false,
    httpStatus: 503,
    meaning: "Redis answered with a refusal: a wrong password, missing rights, or a command that it does not have.",
    remedy: "The message has Redis' own words; docs/production.md lists the rights that are needed.",
  },
  RedisKeyTaken: {
    retryable: false,
    httpStatus: 409,
    meaning:
      "A key in Redis that Bucketline keeps something in holds something of another type: another program wrote it.",
    remedy:
      "Find out who else writes below this prefix; rename or delete the key (`TYPE`, `RENAME`, `DEL`), or give Bucketline a prefix of its own.",
  },
  LoginRequired: {
    retryable: false,
    httpStatus: 401,
    meaning: "The dashboard must not be open to everybody at this address, or this request carries no sign-in.",
    remedy: "Set users, tokens or a proxy's header for the dashboard; sign in.",
  },
  WrongCredentials: {
    retryable: false,
    httpStatus: 401,
    meaning: "User name or password are wrong.",
    remedy: "Try again; `bucketline dashboard hash-password` makes a new one.",
  },
  TooManyLogins: {
    retryable: true,
    httpStatus: 429,
    meaning: "Too many failed sign-ins from this address.",
    remedy: "Wait for the time that the answer names.",
  },
  Unauthenticated: {
    retryable: false,
    httpStatus: 401,
    meaning: "The request carries no session and no token, or one that has ended.",
    remedy: "Sign in, or send `Authorization: Bearer <token>`.",
  },
  Forbidden: {
    retryable: false,
    httpStatus: 403,
    meaning: "The signed-in user may not do this.",
    remedy: "Ask an operator.",
  },
  SignInUnavailable: {
    retryable: true,
    httpStatus: 503,
    meaning: "The OpenID Connect provider that signs people in does not answer.",
    remedy: "Try again; check `BUCKETLINE_DASHBOARD_OIDC_ISSUER` and whether the dashboard can reach it.",
  },
  OutOfScope: {
    retryable: false,
    httpStatus: 403,
    meaning:
      "The token is for other activities, buckets or prefixes than the request touches, or the request is about everybody's things.",
    remedy: "Use a token whose scope covers it; see `BUCKETLINE_DASHBOARD_TOKENS`.",
  },
  ReadOnly: {
    retryable: false,
    httpStatus: 403,
    meaning: "A viewer may look and not change.",
    remedy: "Ask an operator.",
  },
  ForeignOrigin: {
    retryable: false,
    httpStatus: 403,
    meaning: "A browser sent this request from another site's page.",
    remedy: "Use the dashboard's own pages, or a token.",
  },
  HostNotAllowed: {
    retryable: false,
    httpStatus: 403,
    meaning: "The dashboard was asked under a name that it does not have.",
    remedy: "Add the name to the dashboard's allowed hosts.",
  },
  BodyTooLarge: {
    retryable: false,
    httpStatus: 413,
    meaning: "The request's body is larger than allowed.",
    remedy: "Send less at once; large content goes into a document.",
  },
  UnsupportedMediaType: {
    retryable: false,
    httpStatus: 415,
    meaning: "The request's body is of a type that this address does not take.",
    remedy: "Send `application/json`, or `application/octet-stream` for documents.",
  },
  NotFound: {
    retryable: false,
    httpStatus: 404,
    meaning: "There is nothing at this address.",
    remedy: "Check the path; /api/openapi.json has them all.",
  },
  TooManyStreams: {
    retryable: true,
    httpStatus: 429,
    meaning: "Too many event streams are open.",
    remedy: "Close tabs or programs that follow events.",
  },
} as const satisfies ErrorCodeTable;
