import { createHmac, timingSafeEqual } from "node:crypto";
import { S3Error } from "../http/s3-error.ts";
import { DEFAULT_ACCOUNT, type SandboxCredential } from "../options.ts";
import type { World } from "../storage/world.ts";
import { signingKey } from "./signature.ts";

/** Fields that a policy need not mention. */
const FREE = /^(?:policy|signature|awsaccesskeyid|x-amz-signature|file|x-ignore-.*|x-amz-checksum-.*)$/;

/** Who signed a form: `""` for a form without a policy. @throws S3Error InvalidAccessKeyId, SignatureDoesNotMatch, InvalidArgument */
export function formSigner(fields: ReadonlyMap<string, string>, world: World): string {
  const policy = fields.get("policy");
  if (policy === undefined) return "";
  const v4 = fields.has("x-amz-credential");
  const [signature, key] = v4
    ? [fields.get("x-amz-signature"), fields.get("x-amz-credential")]
    : [fields.get("signature"), fields.get("awsaccesskeyid")];
  if (signature === undefined || key === undefined) {
    const name = v4 ? "X-Amz-Signature" : key === undefined ? "AWSAccessKeyId" : "Signature";
    throw new S3Error("InvalidArgument", `Bucket POST must contain a field named '${name}'.`, {
      elements: { ArgumentName: name, ArgumentValue: "" },
    });
  }
  const credential = world.credentials.get(key.split("/")[0]!);
  if (credential === undefined) {
    throw new S3Error("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", {
      elements: { AWSAccessKeyId: key },
    });
  }
  if (credential.sessionToken !== fields.get("x-amz-security-token")) {
    throw new S3Error("InvalidToken", "The provided token is malformed or otherwise invalid.");
  }
  const expected = v4 ? signV4(policy, key, credential) : signV2(policy, credential);
  const given = Buffer.from(signature);
  if (world.verifySignatures && !(given.length === expected.length && timingSafeEqual(given, expected))) {
    throw new S3Error(
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    );
  }
  return credential.account ?? DEFAULT_ACCOUNT;
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html
function signV4(policy: string, scope: string, { secretAccessKey }: SandboxCredential): Buffer {
  const [, date = "", region = "", service = ""] = scope.split("/");
  const key = signingKey(secretAccessKey, { date, region, service });
  return Buffer.from(createHmac("sha256", key).update(policy).digest("hex"));
}

function signV2(policy: string, { secretAccessKey }: SandboxCredential): Buffer {
  return Buffer.from(createHmac("sha1", secretAccessKey).update(policy).digest("base64"));
}

/**
 * Holds a form against its policy: every condition must hold, and every field must be in a condition.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
 *
 * @throws S3Error InvalidPolicyDocument, AccessDenied, EntityTooSmall, EntityTooLarge
 */
export function checkFormPolicy(fields: ReadonlyMap<string, string>, bucket: string, size: number): void {
  const text = fields.get("policy");
  if (text === undefined) return;
  const { expiration, conditions } = readPolicy(text);
  if (expiration <= Date.now()) throw denied("Policy expired.");
  const given = new Map(fields).set("bucket", bucket);
  const covered = new Set<string>();
  for (const condition of conditions) checkCondition(condition, { given, covered, size });
  const extra = [...given.keys()].filter((name) => !FREE.test(name) && !covered.has(name));
  if (extra.length > 0) throw denied(`Extra input fields: ${extra.join(", ")}`);
}

function readPolicy(text: string): { expiration: number; conditions: readonly unknown[] } {
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(text, "base64").toString("utf8"));
  } catch (cause) {
    throw badPolicy("Invalid JSON.", cause);
  }
  if (typeof document !== "object" || document === null) throw badPolicy("Invalid JSON.");
  const { expiration, conditions } = document as { expiration?: unknown; conditions?: unknown }; // both are checked next
  if (typeof expiration !== "string" || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(expiration)) {
    throw badPolicy(`Invalid 'expiration' value: '${String(expiration)}'`);
  }
  if (!Array.isArray(conditions) || conditions.length === 0) throw badPolicy("Policy missing conditions.");
  return { expiration: Date.parse(expiration), conditions: conditions as unknown[] };
}

type Check = { given: ReadonlyMap<string, string>; covered: Set<string>; size: number };

function checkCondition(condition: unknown, check: Check): void {
  if (Array.isArray(condition)) {
    checkList(condition as unknown[], check); // a list of anything, looked at there
    return;
  }
  if (typeof condition !== "object" || condition === null) throw badPolicy("Invalid condition.");
  if (Object.keys(condition).length === 0) throw badPolicy("Invalid condition.");
  for (const [name, value] of Object.entries(condition)) checkField(check, { operator: "eq", name, value });
}

function checkList([operator, name, value, ...rest]: readonly unknown[], check: Check): void {
  const kind = typeof operator === "string" ? operator.toLowerCase() : "";
  if (kind === "content-length-range") {
    checkRange(name, value, check.size);
    return;
  }
  if ((kind !== "eq" && kind !== "starts-with") || typeof name !== "string" || !name.startsWith("$") || rest.length > 0)
    throw badPolicy(`Invalid Condition: ${JSON.stringify([operator, name, value])}`);
  checkField(check, { operator: kind, name: name.slice(1), value });
}

function checkField(
  { given, covered }: Check,
  { operator, name, value }: { operator: "eq" | "starts-with"; name: string; value: unknown },
): void {
  if (typeof value !== "string") throw badPolicy(`Invalid Condition: ${name}`);
  const field = name.toLowerCase();
  covered.add(field);
  const actual = given.get(field) ?? "";
  // A list of content types starts with the same everywhere.
  const holds = operator === "eq" ? actual === value : actual.startsWith(value);
  if (!holds || (value !== "" && !given.has(field)))
    throw denied(`Policy Condition failed: ["${operator}", "$${name}", "${value}"]`);
}

function checkRange(min: unknown, max: unknown, size: number): void {
  const [least, most] = [min, max].map((one) =>
    typeof one === "number" || typeof one === "string" ? Number(one) : NaN,
  );
  if (!(least! >= 0 && most! >= least!)) throw badPolicy("Invalid content-length-range.");
  if (size < least!) {
    throw new S3Error("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", {
      elements: { ProposedSize: String(size), MinSizeAllowed: String(least) },
    });
  }
  if (size > most!) {
    throw new S3Error("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", {
      elements: { ProposedSize: String(size), MaxSizeAllowed: String(most) },
    });
  }
}

function denied(reason: string): S3Error {
  return new S3Error("AccessDenied", `Invalid according to Policy: ${reason}`);
}

function badPolicy(reason: string, cause?: unknown): S3Error {
  const error = new S3Error("InvalidPolicyDocument", `Invalid Policy: ${reason}`);
  error.cause = cause;
  return error;
}
