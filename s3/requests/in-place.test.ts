import { describe, expect, test } from "vitest";
import { call, openS3 } from "../../test/open-s3.ts";
import type { Overrides } from "../interface.ts";

const kept = {
  metadata: { by: "ann" },
  tags: { colour: "red" },
  storageClass: "STANDARD_IA",
  encryption: { algorithm: "aws:kms", kmsKeyId: "arn:aws:kms:us-east-1:000000000000:key/mine" },
} as const;

const changes: readonly [string, Overrides, object][] = [
  ["tags", { tags: { only: "these" } }, { tags: { only: "these" } }],
  ["access", { acl: "bucket-owner-full-control" }, {}],
  ["a legal hold", { objectLock: { legalHold: false } }, {}],
  ["the storage class", { storageClass: "GLACIER_IR" }, { storageClass: "GLACIER_IR" }],
  ["a header", { cacheControl: "no-store" }, { headers: { "cache-control": "no-store" } }],
  ["metadata", { metadata: { by: "bob" } }, { metadata: { by: "bob" } }],
  ["encryption", { encryption: { type: "AES256" } }, { encryption: { algorithm: "AES256" } }],
];

describe.each([
  ["whole", {}],
  ["in parts", { multipartThreshold: 1 }],
  ["on a store that enforces no conditions", { conditionalCopy: false, conditionalDelete: false }],
] as const)("an object that is changed in place, %s,", (_, connection) => {
  test.each(changes)("gets other %s and keeps all the rest", async (__, overrides, changed) => {
    const { sandbox, s3, pin } = await openS3({ connection, sandbox: { minPartSize: 1 } });
    sandbox.createBucket("locked", { objectLock: true });
    for (const bucket of overrides.objectLock === undefined ? ["in", "locked"] : ["locked"]) {
      sandbox.put(bucket, "a", "content", { ...kept, contentType: "text/x" });
      await s3.copy({ source: { ...pin(bucket, "a"), websiteRedirect: "" }, bucket, key: "a", overrides }, call);
      expect(sandbox.text(bucket, "a")).toBe("content");
      expect(sandbox.object(bucket, "a")).toMatchObject({ ...kept, contentType: "text/x", ...changed });
    }
  });
});
