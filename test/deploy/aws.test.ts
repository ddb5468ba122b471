import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { activityNames } from "../../jobs/contracts.ts";

const root = join(import.meta.dirname, "../..");
const guide = readFileSync(join(root, "docs/production.md"), "utf8");

/** Where an action holds. https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html */
const ACTIONS: Readonly<Record<string, "all" | "bucket" | "object" | "key">> = {
  "s3:ListAllMyBuckets": "all",
  "s3:CreateBucket": "bucket",
  "s3:DeleteBucket": "bucket",
  "s3:ListBucket": "bucket",
  "s3:ListBucketMultipartUploads": "bucket",
  "s3:GetBucketObjectLockConfiguration": "bucket",
  "s3:GetBucketOwnershipControls": "bucket",
  "s3:AbortMultipartUpload": "object",
  "s3:DeleteObject": "object",
  "s3:DeleteObjectVersion": "object",
  "s3:GetObject": "object",
  "s3:GetObjectAcl": "object",
  "s3:GetObjectLegalHold": "object",
  "s3:GetObjectRetention": "object",
  "s3:GetObjectTagging": "object",
  "s3:GetObjectVersion": "object",
  "s3:GetObjectVersionTagging": "object",
  "s3:ListMultipartUploadParts": "object",
  "s3:PutObject": "object",
  "s3:PutObjectAcl": "object",
  "s3:PutObjectLegalHold": "object",
  "s3:PutObjectRetention": "object",
  "s3:PutObjectTagging": "object",
  "kms:Decrypt": "key",
  "kms:GenerateDataKey": "key",
};
const RESOURCES = {
  all: /^\*$/,
  bucket: /^arn:aws:s3:::[a-z0-9.-]+$/,
  object: /^arn:aws:s3:::[a-z0-9.-]+\/.*\*$/,
  key: /^arn:aws:kms:[a-z0-9-]+:\d{12}:key\/[0-9a-f-]{36}$/,
} as const;
const Texts = z.union([z.string(), z.array(z.string()).min(1)]).transform((value) => [value].flat());
const Policy = z.strictObject({
  Version: z.literal("2012-10-17"),
  Statement: z.array(
    z.strictObject({
      Sid: z.string().regex(/^[A-Za-z0-9]+$/),
      Effect: z.literal("Allow"),
      Action: Texts,
      Resource: Texts,
      Condition: z.record(z.string(), z.record(z.string(), z.string())).optional(),
    }),
  ),
});
const Lifecycle = z.strictObject({
  Rules: z.array(
    z.strictObject({
      ID: z.string(),
      Status: z.literal("Enabled"),
      Filter: z.strictObject({ Prefix: z.string() }),
      Expiration: z.strictObject({ Days: z.int().min(31) }).optional(),
      AbortIncompleteMultipartUpload: z.strictObject({ DaysAfterInitiation: z.int().min(7) }),
    }),
  ),
});

function read(name: string): unknown {
  return JSON.parse(readFileSync(join(root, "deploy/aws", name), "utf8"));
}

describe("the IAM policies", () => {
  test.each(["worker-policy.json", "documents-policy.json"])("%s allows each action where it holds", (name) => {
    const wrong = Policy.parse(read(name)).Statement.flatMap(({ Sid, Action, Resource }) =>
      Action.flatMap((action) => {
        const level = ACTIONS[action];
        if (level === undefined) return [`${Sid}: there is no ${action}`];
        return Resource.filter((resource) => !RESOURCES[level].test(resource)).map(
          (each) => `${Sid}: ${action} on ${each}`,
        );
      }),
    );
    expect(wrong).toEqual([]);
  });

  test("are explained for every activity, in actions that there are", () => {
    const table = guide.slice(guide.indexOf("| activity | actions |"), guide.indexOf("- **Versioned buckets**"));
    const rows = table.split("\n").map((line) => line.split("|")[1]?.trim().split(", ") ?? []);
    expect(new Set(rows.flat())).toEqual(new Set(["activity", "---", "batches", ...activityNames]));
    const named = [...guide.matchAll(/`((?:s3|kms):[A-Z]\w+)`/g)].map(([, action = ""]) => action);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((action) => !(action in ACTIONS))).toEqual([]);
  });
});

test.each(["uploads-lifecycle.json", "documents-lifecycle.json"])("%s aborts unfinished uploads", (name) => {
  expect(Lifecycle.parse(read(name)).Rules).toHaveLength(1);
});
