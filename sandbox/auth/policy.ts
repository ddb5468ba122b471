import { header, parseQuery, type Call } from "../http/call.ts";
import type { Bucket } from "../storage/bucket.ts";
import type { BucketPolicy, PolicyStatement } from "../storage/bucket-settings.ts";
import type { StoredObject } from "../storage/stored-object.ts";

/** What a policy is asked: may this call do that to this key. */
export type PolicyQuestion = {
  call: Call;
  action: string;
  key: string;
  object: StoredObject | undefined;
  prefix?: string;
};

/** Deny outranks Allow; undefined where no statement concerns the call. */
export function judge(policy: BucketPolicy, bucket: Bucket, question: PolicyQuestion): "Allow" | "Deny" | undefined {
  let verdict: "Allow" | undefined;
  for (const statement of policy.statements) {
    if (!concerns(statement, bucket, question)) continue;
    if (statement.effect === "Deny") return "Deny";
    verdict = "Allow";
  }
  return verdict;
}

/** A policy that allows somebody whom nobody named. https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html */
export function isPublicPolicy(policy: BucketPolicy): boolean {
  return policy.statements.some(
    ({ effect, principals, notPrincipals, conditions }) =>
      effect === "Allow" && (principals.includes("*") || notPrincipals !== undefined) && !conditions.some(narrows),
  );
}

/** A condition that leaves only named accounts or addresses. */
function narrows({ key, values }: PolicyStatement["conditions"][number]): boolean {
  const names = /^aws:(?:sourceip|principalaccount|principalarn)$/.test(key);
  return names && !values.some((value) => value.includes("*") || value.endsWith("/0"));
}

function like(patterns: readonly string[], value: string, ignoreCase: boolean): boolean {
  return patterns.some((pattern) => matchesPattern(pattern, value, ignoreCase));
}

function concerns(statement: PolicyStatement, bucket: Bucket, question: PolicyQuestion): boolean {
  const { principals, notPrincipals, actions, notActions, resources, notResources, conditions } = statement;
  const { call, action, key } = question;
  const resource = key === "" ? `arn:aws:s3:::${bucket.name}` : `arn:aws:s3:::${bucket.name}/${key}`;
  const names = (list: readonly string[]) =>
    list.some((one) => one === "*" || (call.account !== "" && one === call.account));
  return (
    (notPrincipals === undefined ? names(principals) : !names(notPrincipals)) &&
    (notActions === undefined ? like(actions, action, true) : !like(notActions, action, true)) &&
    (notResources === undefined ? like(resources, resource, false) : !like(notResources, resource, false)) &&
    conditions.every((condition) => holds(condition, question))
  );
}

function holds({ operator, key, values }: PolicyStatement["conditions"][number], question: PolicyQuestion): boolean {
  const actual = valueOf(key, question);
  const bare = operator.replace(/^ForA(?:ll|ny)Value:/, "");
  const optional = bare.endsWith("IfExists");
  const name = optional ? bare.slice(0, -"IfExists".length) : bare;
  if (name === "Null") return values.some((value) => (value === "true") === (actual === undefined));
  const negative = /Not/.test(name);
  if (actual === undefined) return optional || negative;
  const compare = comparison(name.replace("Not", ""));
  const some = values.some((value) => compare(actual, value));
  return negative ? !some : some;
}

function comparison(name: string): (actual: string, value: string) => boolean {
  switch (name) {
    case "StringEquals":
    case "ArnEquals":
    case "Bool":
      return (actual, value) => actual === value;
    case "StringEqualsIgnoreCase":
      return (actual, value) => actual.toLowerCase() === value.toLowerCase();
    case "IpAddress":
      return inNetwork;
    case "NumericEquals":
      return (actual, value) => Number(actual) === Number(value);
    case "NumericLessThan":
      return (actual, value) => Number(actual) < Number(value);
    case "NumericLessThanEquals":
      return (actual, value) => Number(actual) <= Number(value);
    case "NumericGreaterThan":
      return (actual, value) => Number(actual) > Number(value);
    case "NumericGreaterThanEquals":
      return (actual, value) => Number(actual) >= Number(value);
    default:
      return (actual, value) => matchesPattern(value, actual, false);
  }
}

/** The value of a condition key for this call, undefined where the call has none. */
function valueOf(key: string, { call, object, prefix }: PolicyQuestion): string | undefined {
  const tag = /^s3:(existing|request)ObjectTag\/(.+)$/is.exec(key);
  if (tag !== null) {
    if (tag[1]!.toLowerCase() === "existing") return object?.tags?.find((one) => one.key === tag[2])?.value;
    return parseQuery(header(call, "x-amz-tagging") ?? "").get(tag[2]!);
  }
  const name = key.replace(/^(?:s3|aws):/i, "").toLowerCase();
  switch (name) {
    case "prefix":
      return prefix ?? call.query.get(name);
    case "delimiter":
    case "max-keys":
      return call.query.get(name);
    case "versionid":
      return call.query.get("versionId");
    case "sourceip":
      return call.request.socket.remoteAddress?.replace(/^::ffff:/, "");
    case "securetransport":
      return "false";
    case "referer":
      return header(call, "referer");
    case "useragent":
      return header(call, "user-agent");
    case "principalaccount":
      return call.account === "" ? undefined : call.account;
    case "principalarn":
      return call.account === "" ? undefined : `arn:aws:iam::${call.account}:root`;
    default:
      return header(call, name.startsWith("object-lock-") ? `x-amz-${name}` : name);
  }
}

/** `*` and `?` as IAM has them: both match `/` too. Two pointers, so that no pattern takes long. */
export function matchesPattern(pattern: string, text: string, ignoreCase: boolean): boolean {
  const [wanted, given] = ignoreCase ? [pattern.toLowerCase(), text.toLowerCase()] : [pattern, text];
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let i = 0; i < given.length;) {
    if (at < wanted.length && wanted[at] !== "*" && (wanted[at] === "?" || wanted[at] === given[i])) {
      at++;
      i++;
    } else if (wanted[at] === "*") {
      star = at++;
      resume = i;
    } else if (star >= 0) {
      at = star + 1;
      i = ++resume;
    } else return false;
  }
  while (wanted[at] === "*") at++;
  return at === wanted.length;
}

function inNetwork(address: string, network: string): boolean {
  const [base = "", bits = "32"] = network.split("/");
  const [a, b] = [ipv4(address), ipv4(base)];
  if (a === undefined || b === undefined) return address === base;
  const size = 2 ** (32 - Number(bits));
  return Math.floor(a / size) === Math.floor(b / size);
}

function ipv4(address: string): number | undefined {
  const parts = /^(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  return parts === null ? undefined : parts.slice(1).reduce((sum, part) => sum * 256 + Number(part), 0);
}
