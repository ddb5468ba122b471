import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ActivityError } from "../model/activity-error.ts";
import { type ActivityName, activityNames } from "../jobs/contracts.ts";
import type { Access } from "../model/access.ts";
import { bucketPattern, checkPolicy, type Policy, policyMatcher } from "./policy.ts";
import type { ResolvedProfile } from "./resolved-profile.ts";

function profile(policy?: Policy): ResolvedProfile {
  const connection = {
    name: "partner",
    credentials: () => Promise.reject(new Error("a policy asks no provider")),
    region: "us-east-1",
    pathStyle: false,
    checksums: "when-supported",
    conditionalDelete: true,
    conditionalCopy: true,
    conditionalWrite: true,
    multipartThreshold: 1,
  } as const;
  return policy === undefined ? { connection } : { connection, policy };
}

function allows(policy: Policy | undefined, activity: ActivityName, access: Omit<Access, "credentials">): boolean {
  try {
    checkPolicy(profile(policy), activity, { credentials: undefined, ...access });
    return true;
  } catch (error) {
    if (error instanceof ActivityError && error.code === "PolicyDenied" && !error.retryable) return false;
    throw error;
  }
}

const tenant: Policy = [{ activities: ["*"], buckets: ["shared"], prefixes: ["tenant-a/"] }];

describe("a profile without a policy", () => {
  test("allows everything", () => {
    expect(allows(undefined, "delete-bucket", { bucket: "in" })).toBe(true);
    expect(allows(undefined, "list-buckets", {})).toBe(true);
    expect(policyMatcher(profile(), "delete-object", "in")("any")).toBe(true);
  });
});

describe("a policy", () => {
  test("denies everything where it is empty", () => {
    for (const activity of activityNames) expect(allows([], activity, { bucket: "in", key: "a" })).toBe(false);
  });

  test("names profile, activity and object when it denies", () => {
    const check = () => checkPolicy(profile([]), "get-object", { credentials: undefined, bucket: "in", key: "a.txt" });
    expect(check).toThrow("PolicyDenied: the policy of profile partner does not allow get-object s3://in/a.txt");
  });

  test("takes activity and bucket from the same allowance", () => {
    const policy: Policy = [
      { activities: ["get-object"], buckets: ["in"] },
      { activities: ["delete-object"], buckets: ["out"] },
    ];
    expect(allows(policy, "get-object", { bucket: "in", key: "a" })).toBe(true);
    expect(allows(policy, "delete-object", { bucket: "in", key: "a" })).toBe(false);
    expect(allows(policy, "get-object", { bucket: "out", key: "a" })).toBe(false);
  });

  test("holds keys to the prefix, byte by byte", () => {
    expect(allows(tenant, "get-object", { bucket: "shared", key: "tenant-a/x" })).toBe(true);
    for (const key of ["tenant-b/x", "tenant-a", "Tenant-a/x", "/tenant-a/x", "x/tenant-a/x"])
      expect(allows(tenant, "get-object", { bucket: "shared", key })).toBe(false);
  });

  test("denies keys below a prefix that a proxy would resolve to others", () => {
    for (const key of ["tenant-a/../tenant-b/x", "tenant-a/./x", "tenant-a/.."]) {
      expect(allows(tenant, "get-object", { bucket: "shared", key })).toBe(false);
      expect(policyMatcher(profile(tenant), "get-object", "shared")(key)).toBe(false);
    }
    expect(allows(tenant, "get-object", { bucket: "shared", key: "tenant-a/..x/y..z/..." })).toBe(true);
  });

  test("lets a listing be as narrow as the prefix, not wider", () => {
    expect(allows(tenant, "list-objects", { bucket: "shared", prefix: "tenant-a/" })).toBe(true);
    expect(allows(tenant, "list-objects", { bucket: "shared", prefix: "tenant-a/2026/" })).toBe(true);
    for (const prefix of ["", "tenant-", "tenant-a", "tenant-b/"])
      expect(allows(tenant, "list-objects", { bucket: "shared", prefix })).toBe(false);
  });

  test("keeps the bucket itself from allowances that are about some of its keys", () => {
    expect(allows(tenant, "delete-bucket", { bucket: "shared" })).toBe(false);
    expect(allows(tenant, "create-bucket", { bucket: "shared" })).toBe(false);
    expect(allows(tenant, "head-bucket", { bucket: "shared" })).toBe(true);
    expect(
      allows([{ activities: ["delete-bucket"], buckets: ["shared"] }], "delete-bucket", { bucket: "shared" }),
    ).toBe(true);
  });

  test("lets account-wide activities through only with the bucket pattern *", () => {
    expect(allows([{ activities: ["list-buckets"], buckets: ["*"] }], "list-buckets", {})).toBe(true);
    expect(allows([{ activities: ["list-buckets"], buckets: ["a*"] }], "list-buckets", {})).toBe(false);
    expect(allows([{ activities: ["*"], buckets: ["*"], prefixes: ["a/"] }], "list-buckets", {})).toBe(false);
    expect(allows([{ activities: ["*"], buckets: ["*"], prefixes: ["a/"] }], "validate-credentials", {})).toBe(true);
    expect(allows(tenant, "validate-credentials", {})).toBe(false);
  });
});

describe("a bucket pattern", () => {
  test("has wildcards, and dots that are dots", () => {
    expect(bucketPattern("logs.*")("logs.2026")).toBe(true);
    expect(bucketPattern("logs.*")("logsx2026")).toBe(false);
    expect(bucketPattern("logs-?")("logs-1")).toBe(true);
    expect(bucketPattern("logs-?")("logs-12")).toBe(false);
    expect(bucketPattern("{in,out}-[a-c]")("out-b")).toBe(true);
    expect(bucketPattern("{in,out}-[a-c]")("out-d")).toBe(false);
  });

  test.each(["!secret", "a/b", "(a|b)", "in[", "{in", "a b", "", "^a", "a\\b", "+(a)", "a..*", "a**", "a]"])(
    "cannot be %j",
    (pattern) => {
      expect(() => bucketPattern(pattern)).toThrow(/^(expected|Missing)/);
    },
  );

  const bucketName = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{1,20}[a-z0-9]$/);

  test("without wildcards matches exactly its own name", () => {
    fc.assert(
      fc.property(bucketName, bucketName, (pattern, bucket) => {
        expect(bucketPattern(pattern)(pattern)).toBe(true);
        expect(bucketPattern(pattern)(bucket)).toBe(bucket === pattern);
      }),
    );
  });

  test("with stars matches what a plain reading of the stars does", () => {
    const pattern = fc.array(fc.oneof(fc.constant("*"), fc.stringMatching(/^[ab.-]{1,3}$/)), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(pattern, fc.stringMatching(/^[ab][ab.-]{1,8}[ab]$/), (parts, bucket) => {
        fc.pre(!/\.\.|\*\*/.test(parts.join("")));
        const plain = parts.map((part) => (part === "*" ? ".*" : part.replaceAll(".", "\\."))).join("");
        expect(bucketPattern(parts.join(""))(bucket)).toBe(new RegExp(`^${plain}$`).test(bucket));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("for any policy", () => {
  const activity = fc.constantFrom<ActivityName>("get-object", "delete-object", "copy-object");
  const bucket = fc.constantFrom("in", "out", "logs.x", "logsyx");
  const keyText = fc.stringMatching(/^[ab/.]{1,6}$/);
  const allowance = fc.record(
    {
      activities: fc.array(fc.oneof(activity, fc.constant("*" as const)), { minLength: 1, maxLength: 2 }),
      buckets: fc.array(fc.constantFrom("in", "out", "*", "logs.*", "o?t"), { minLength: 1, maxLength: 2 }),
      prefixes: fc.array(fc.stringMatching(/^[ab/]{1,3}$/), { minLength: 1, maxLength: 2 }),
    },
    { requiredKeys: ["activities", "buckets"] },
  );
  const policy: fc.Arbitrary<Policy> = fc.array(allowance, { maxLength: 3 });

  test("the matcher of a batch decides as the check of a single job does", () => {
    fc.assert(
      fc.property(policy, activity, bucket, keyText, (rules, name, where, key) => {
        const matches = policyMatcher(profile(rules), name, where)(key);
        expect(matches).toBe(allows(rules, name, { bucket: where, key }));
      }),
      { numRuns: 2_000 },
    );
  });

  test("a listing that is allowed shows no key that is not", () => {
    const listing = fc.stringMatching(/^[ab/]{0,4}$/);
    fc.assert(
      fc.property(policy, bucket, listing, fc.stringMatching(/^[ab/]{0,4}$/), (rules, where, prefix, rest) => {
        fc.pre(allows(rules, "get-object", { bucket: where, prefix }));
        expect(allows(rules, "get-object", { bucket: where, key: prefix + rest })).toBe(true);
      }),
    );
  });

  test("one more allowance never takes anything away", () => {
    fc.assert(
      fc.property(policy, allowance, activity, bucket, keyText, (rules, more, name, where, key) => {
        fc.pre(allows(rules, name, { bucket: where, key }));
        expect(allows([...rules, more], name, { bucket: where, key })).toBe(true);
      }),
    );
  });
});
