import { expect, test } from "vitest";
import { ActivityError } from "../model/activity-error.ts";
import { isThrottle, isUnknownOutcome, toActivityError } from "./error-mapping.ts";

const about = { operation: "GetObject", bucket: "in", key: "a.txt", store: "http://store" };
const answered = (name: string, httpStatusCode: number, message = "said") =>
  toActivityError(Object.assign(new Error(message), { name, $metadata: { httpStatusCode, requestId: "R1" } }), about);

test.each([
  ["NoSuchKey", 404, false, "NoSuchKey: no object s3://in/a.txt (request R1)"],
  ["NoSuchBucket", 404, false, "NoSuchBucket: no bucket in (request R1)"],
  ["AccessDenied", 403, false, "AccessDenied: not allowed to GetObject on s3://in/a.txt: said (request R1)"],
  ["InvalidObjectState", 403, false, "InvalidObjectState: GetObject of s3://in/a.txt failed: said (request R1)"],
  ["SlowDown", 503, true, "SlowDown: GetObject of s3://in/a.txt failed: said (request R1)"],
  ["ExpiredToken", 400, true, "ExpiredToken: GetObject of s3://in/a.txt failed: said (request R1)"],
  ["RequestTimeTooSkewed", 403, true, "RequestTimeTooSkewed: GetObject of s3://in/a.txt failed: said (request R1)"],
  ["InternalError", 500, true, "InternalError: GetObject of s3://in/a.txt failed: said (request R1)"],
  ["NotImplemented", 501, false, "NotImplemented: GetObject of s3://in/a.txt failed: said (request R1)"],
])("%s keeps its code, names the object and says whether to try again", (code, status, retryable, message) => {
  expect(answered(code, status).toJSON()).toEqual({ code, message, retryable, httpStatus: status, requestId: "R1" });
});

test.each([
  [404, "NoSuchKey"],
  [403, "AccessDenied"],
  [412, "PreconditionFailed"],
  [503, "ServiceUnavailable"],
  [429, "TooManyRequests"],
])("a bare %i is a %s", (status, code) => {
  expect(answered("UnknownError", status, "UnknownError")).toMatchObject({ code, httpStatus: status });
});

test.each([
  ["ECONNREFUSED", "NetworkError", true],
  ["ECONNRESET", "NetworkError", true],
  ["ENOTFOUND", "NetworkError", true],
  ["EAI_AGAIN", "NetworkError", true],
  ["UND_ERR_SOCKET", "NetworkError", true],
  ["ETIMEDOUT", "Timeout", true],
  ["UND_ERR_HEADERS_TIMEOUT", "Timeout", true],
  ["CERT_HAS_EXPIRED", "CertificateRejected", false],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "CertificateRejected", false],
  ["ERR_INVALID_CHAR", "InvalidRequest", false],
])("%s is a %s", (code, expected, retryable) => {
  expect(toActivityError(Object.assign(new Error("m"), { code }), about)).toMatchObject({ code: expected, retryable });
});

test("a 200 that the SDK could not read proves nothing", () => {
  const error = Object.assign(new Error("unexpected content"), { $metadata: { httpStatusCode: 200 } });
  expect(toActivityError(error, about)).toMatchObject({ code: "UnprovenResponse", retryable: true });
});

test("keeps what is one of ours already, and the cause of what is not", () => {
  const ours = new ActivityError("SourceChanged", "m");
  expect(toActivityError(ours, about)).toBe(ours);
  expect(toActivityError(new Error("wrapped", { cause: ours }), about)).toBe(ours);
  const raw = new Error("m");
  expect(toActivityError(raw, about).cause).toBe(raw);
  expect(toActivityError("text", about)).toBeInstanceOf(ActivityError);
});

test("a key cannot forge a line of a log", () => {
  const { message } = toActivityError(
    Object.assign(new Error(""), { name: "NoSuchKey", $metadata: { httpStatusCode: 404 } }),
    { ...about, key: "a\r\nERROR: b" },
  );
  expect(message).toBe("NoSuchKey: no object s3://in/a\\r\\nERROR: b");
});

test("cuts out whatever could be a credential, and what is too long", () => {
  const token = "A".repeat(80);
  const { message } = answered(
    "X1",
    400,
    `key AKIAIOSFODNN7EXAMPLE token ${token} url http://h/?X-Amz-Signature=abcd&x=1 ${"long ".repeat(200)}`,
  );
  expect(message).not.toMatch(/AKIAIOSFODNN7EXAMPLE|A{80}|abcd/);
  expect(message.length).toBeLessThan(450);
});

test("knows throttling, and answers that leave the outcome open", () => {
  expect([answered("SlowDown", 503), answered("Anything", 429), answered("AccessDenied", 403)].map(isThrottle)).toEqual(
    [true, true, false],
  );
  expect([isThrottle(new Error("x")), isThrottle(undefined)]).toEqual([false, false]);
  const reset = toActivityError(Object.assign(new Error("m"), { code: "ECONNRESET" }), about);
  expect([reset, answered("InternalError", 500), answered("PreconditionFailed", 412)].map(isUnknownOutcome)).toEqual([
    true,
    true,
    false,
  ]);
});
