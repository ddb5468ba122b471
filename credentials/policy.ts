import { createGlob } from "../model/glob/create.ts";
import { parseGlob } from "../model/glob/parse.ts";
import { ActivityError } from "../model/activity-error.ts";
import type { Access } from "../model/access.ts";
import type { ActivityName } from "../jobs/contracts.ts";
import type { Policy } from "./allowance.ts";
import type { ResolvedProfile } from "./resolved-profile.ts";

/** What a policy is asked about. */
export type PolicyActivity = ActivityName;

export type { Policy } from "./allowance.ts";

/** Activities on no key that an allowance with prefixes grants all the same: they tell of no key and change nothing. */
const HARMLESS_WITHOUT_KEY: ReadonlySet<string> = new Set(["head-bucket", "validate-credentials"]);

/** A segment that a proxy may resolve: then the key is another one than was checked. */
const DOT_SEGMENT = /(?:^|\/)\.\.?(?:\/|$)/;

type CompiledAllowance = {
  readonly activities: ReadonlySet<string>;
  readonly matchesBucket: (bucket: string) => boolean;
  /** Names every bucket, by a plain `*`. */
  readonly everyBucket: boolean;
  readonly prefixes: readonly string[] | undefined;
};

/**
 * Throws `PolicyDenied` unless one allowance of the profile's policy covers the access whole. Without a policy all is allowed.
 *
 * - An object: activity, bucket, and the key starts with an allowed prefix.
 * - A listing: the prefix that is listed starts with an allowed one.
 * - The bucket itself (create, delete): only an allowance without prefixes, because it covers every key. head-bucket always.
 * - No bucket (list-buckets, validate-credentials): an allowance with the bucket pattern `*`; list-buckets also without prefixes.
 */
export function checkPolicy(profile: ResolvedProfile, activity: ActivityName, access: Access): void {
  if (profile.policy === undefined) return;
  const asked = access.activity ?? activity;
  if (compiled(profile.policy).some((allowance) => covers(allowance, asked, access))) return;
  throw denied(profile, asked, access);
}

/**
 * Throws `PolicyDenied` unless the policy allows the activity on some key of the bucket: enough to be told whether the bucket is
 * there, which every request for that key would tell as well.
 */
export function checkBucketReach(profile: ResolvedProfile, activity: ActivityName, bucket: string): void {
  if (profile.policy === undefined) return;
  if (compiled(profile.policy).some((allowance) => coversBucket(allowance, activity, bucket))) return;
  throw denied(profile, activity, { bucket });
}

function denied({ connection, policy }: ResolvedProfile, activity: string, access: Access): ActivityError {
  const hint = policy?.length === 0 ? "; it allows nothing at all" : "";
  return new ActivityError(
    "PolicyDenied",
    `the policy of profile ${connection.name} does not allow ${activity} ${nameOf(access)}${hint}`,
  );
}

/** The same decision for many keys of one bucket, made ready once. */
export function policyMatcher(
  profile: ResolvedProfile,
  activity: ActivityName,
  bucket: string,
): (key: string) => boolean {
  if (profile.policy === undefined) return () => true;
  const relevant = compiled(profile.policy).filter((allowance) => coversBucket(allowance, activity, bucket));
  if (relevant.some(({ prefixes }) => prefixes === undefined)) return () => true;
  const prefixes = relevant.flatMap((allowance) => allowance.prefixes ?? []);
  return (key) => startsWithAny(key, prefixes) && !DOT_SEGMENT.test(key);
}

function covers(allowance: CompiledAllowance, activity: string, { bucket, key, prefix }: Access): boolean {
  const { prefixes } = allowance;
  if (bucket === undefined) {
    if (!allowance.everyBucket || !coversActivity(allowance, activity)) return false;
  } else if (!coversBucket(allowance, activity, bucket)) return false;
  if (prefixes === undefined) return true;
  if (key === undefined && prefix === undefined) return HARMLESS_WITHOUT_KEY.has(activity);
  if (prefix !== undefined && !startsWithAny(prefix, prefixes)) return false;
  return key === undefined || (startsWithAny(key, prefixes) && !DOT_SEGMENT.test(key));
}

function coversBucket(allowance: CompiledAllowance, activity: string, bucket: string): boolean {
  return coversActivity(allowance, activity) && allowance.matchesBucket(bucket);
}

function coversActivity({ activities }: CompiledAllowance, activity: string): boolean {
  return activities.has(activity) || activities.has("*");
}

function startsWithAny(text: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => text.startsWith(prefix));
}

function nameOf({ bucket, key, prefix }: Access): string {
  if (bucket === undefined) return "on the account";
  if (key !== undefined) return `s3://${bucket}/${key}`;
  return prefix === undefined ? `on bucket ${bucket}` : `of s3://${bucket}/${prefix}*`;
}

const compiledPolicies = new WeakMap<Policy, readonly CompiledAllowance[]>();

function compiled(policy: Policy): readonly CompiledAllowance[] {
  let allowances = compiledPolicies.get(policy);
  if (allowances === undefined) {
    allowances = policy.map(({ activities, buckets, prefixes }) => ({
      activities: new Set(activities),
      matchesBucket: bucketMatcher(buckets),
      everyBucket: buckets.includes("*"),
      prefixes,
    }));
    compiledPolicies.set(policy, allowances);
  }
  return allowances;
}

function bucketMatcher(patterns: readonly string[]): (bucket: string) => boolean {
  const matchers = patterns.map(bucketPattern);
  return (bucket) => matchers.some((matches) => matches(bucket));
}

/** `[`, `]`, `{` and `}`. */
const BRACKETS: ReadonlySet<number> = new Set([0x5b, 0x5d, 0x7b, 0x7d]);

/**
 * Reads a glob of bucket names: `*`, `?`, `[a-c]`, `{a,b}`; everything else is literal, a dot too. Throws a plain error for
 * unbalanced brackets. A leading `!` is refused, since an allowance of "all but" grants every bucket made later.
 */
export function bucketPattern(pattern: string): (bucket: string) => boolean {
  if (!/^[A-Za-z0-9._*?{},[\]-]+$/.test(pattern))
    throw new Error("expected letters, digits, dots, hyphens, underscores and the wildcards * ? [a-c] {a,b}");
  if (!/[*?{}[\],]/.test(pattern)) return (bucket) => bucket === pattern;
  // Globs are made for keys, where two stars cross slashes; buckets have neither.
  if (/\.\.|\*\*/.test(pattern)) throw new Error('expected no ".." and no "**" beside wildcards');
  if (parseGlob(pattern).some((node) => node.kind === "literal" && BRACKETS.has(node.code)))
    throw new Error("expected each of ] { } only as part of a wildcard");
  return createGlob(pattern);
}
