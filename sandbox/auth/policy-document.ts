import { S3Error } from "../http/s3-error.ts";
import type { BucketPolicy, PolicyStatement } from "../storage/bucket-settings.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html: 20 KB */
const MAX_BYTES = 20 * 1024;

const OPERATORS =
  /^(?:ForA(?:ll|ny)Value:)?(?:String(?:Not)?(?:Equals|Like)(?:IgnoreCase)?|(?:Not)?IpAddress|Null|Bool|Numeric(?:Not)?(?:Equals|LessThan|LessThanEquals|GreaterThan|GreaterThanEquals)|Arn(?:Not)?(?:Equals|Like))(?:IfExists)?$/;

/** Condition keys the sandbox can answer. */
const KEYS =
  /^(?:s3:(?:existingobjecttag|requestobjecttag)\/.+|s3:(?:x-amz-[a-z-]+|prefix|delimiter|max-keys|versionid|object-lock-[a-z-]+)|aws:(?:sourceip|securetransport|referer|useragent|principalaccount|principalarn))$/;

/**
 * Reads a bucket's policy.
 *
 * @throws S3Error MalformedPolicy; NotImplemented for conditions that could not be judged and would have to be ignored
 */
export function parsePolicy(text: string, bucket: string): BucketPolicy {
  if (Buffer.byteLength(text) > MAX_BYTES) throw malformedPolicy("Policies must not be larger than 20480 bytes");
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw malformedPolicy("Policies must be valid JSON and the first byte must be '{'", cause);
  }
  if (!isRecord(document)) throw malformedPolicy("Policies must be valid JSON and the first byte must be '{'");
  const statements = asList(document["Statement"]);
  if (statements.length === 0) throw malformedPolicy("Missing required field Statement");
  return { text, statements: statements.map((statement) => parseStatement(statement, bucket)) };
}

function parseStatement(statement: unknown, bucket: string): PolicyStatement {
  if (!isRecord(statement)) throw malformedPolicy("A statement must be an object");
  const effect = statement["Effect"];
  if (effect !== "Allow" && effect !== "Deny") throw malformedPolicy(`Invalid effect: ${String(effect)}`);
  const { Principal, NotPrincipal, Action, NotAction, Resource, NotResource } = statement;
  if (Principal === undefined && NotPrincipal === undefined) throw malformedPolicy("Missing required field Principal");
  if (NotPrincipal !== undefined && effect === "Allow")
    throw malformedPolicy("Allow with NotPrincipal is not allowed.");
  if (Action === undefined && NotAction === undefined) throw malformedPolicy("Missing required field Action");
  if (Resource === undefined && NotResource === undefined) throw malformedPolicy("Missing required field Resource");
  const parsed: PolicyStatement = {
    effect,
    principals: principals(Principal),
    actions: names(Action, checkAction),
    resources: names(Resource, (one) => checkResource(one, bucket)),
    conditions: conditions(statement["Condition"]),
    ...(NotPrincipal !== undefined && { notPrincipals: principals(NotPrincipal) }),
    ...(NotAction !== undefined && { notActions: names(NotAction, checkAction) }),
    ...(NotResource !== undefined && { notResources: names(NotResource, (one) => checkResource(one, bucket)) }),
  };
  return parsed;
}

/** Accounts by their number, whatever the form: a number, a root ARN, an ARN of a user or a role. */
function principals(given: unknown): string[] {
  if (given === undefined) return [];
  if (given === "*") return ["*"];
  if (!isRecord(given)) throw malformedPolicy("Invalid principal in policy");
  return Object.values(given).flatMap((value) =>
    names(value, () => undefined).map((one) => /^arn:aws[a-z-]*:(?:iam|sts)::([^:]+):/.exec(one)?.[1] ?? one),
  );
}

function names(given: unknown, check: (name: string) => void): string[] {
  return asList(given).map((one) => {
    if (typeof one !== "string") throw malformedPolicy("Policy document should hold text here");
    check(one);
    return one;
  });
}

function checkAction(action: string): void {
  if (action !== "*" && !/^s3:[A-Za-z*?]+$/.test(action)) throw malformedPolicy("Policy has invalid action");
}

function checkResource(resource: string, bucket: string): void {
  const name = /^arn:aws[a-z-]*:s3:[^:]*:[^:]*:([^/]+)(?:\/.*)?$/s.exec(resource)?.[1];
  if (resource !== "*" && (name === undefined || !(name === bucket || name === "*" || name.includes("*"))))
    throw malformedPolicy("Policy has invalid resource");
}

function conditions(given: unknown): PolicyStatement["conditions"] {
  if (given === undefined) return [];
  if (!isRecord(given)) throw malformedPolicy("Policy has an invalid condition");
  return Object.entries(given).flatMap(([operator, keys]) => {
    if (!isRecord(keys)) throw malformedPolicy("Policy has an invalid condition");
    return Object.entries(keys).map(([key, values]) => {
      if (!OPERATORS.test(operator) || !KEYS.test(key.toLowerCase())) {
        throw new S3Error("NotImplemented", `The sandbox cannot judge the policy condition ${operator} of ${key}`);
      }
      return {
        operator,
        key: key.toLowerCase().startsWith("aws:") ? key.toLowerCase() : key,
        values: asList(values).map(String),
      };
    });
  });
}

function asList(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  // The cast only says what isArray has found out: a list of anything.
  return Array.isArray(value) ? (value as unknown[]) : [value];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function malformedPolicy(message: string, cause?: unknown): S3Error {
  const error = new S3Error("MalformedPolicy", message);
  error.cause = cause;
  return error;
}
