import { hash } from "node:crypto";
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectLegalHoldCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
} from "@aws-sdk/client-s3";
import { describe, expect } from "vitest";
import { connect, expectRefusal, raw, test } from "../../fixtures.ts";

const tomorrow = () => new Date(Math.ceil(Date.now() / 1000) * 1000 + 86_400_000);
const at = (VersionId?: string) => ({ Bucket: "safe", Key: "a", VersionId });

describe("a locked bucket", () => {
  test("is made by a header, has versions, and cannot lose them", async ({ s3 }) => {
    await s3.send(new CreateBucketCommand({ Bucket: "safe", ObjectLockEnabledForBucket: true }));
    const { ObjectLockConfiguration } = await s3.send(new GetObjectLockConfigurationCommand({ Bucket: "safe" }));
    expect(ObjectLockConfiguration).toEqual({ ObjectLockEnabled: "Enabled" });
    const suspend = { Bucket: "safe", VersioningConfiguration: { Status: "Suspended" } } as const;
    await expectRefusal(s3.send(new PutBucketVersioningCommand(suspend)), "InvalidBucketState", 409);
    await expectRefusal(
      s3.send(new GetObjectLockConfigurationCommand({ Bucket: "docs" })),
      "ObjectLockConfigurationNotFoundError",
      404,
    );
  });

  test("keeps versions under GOVERNANCE from all but those who bypass it", async ({ sandbox, s3 }) => {
    sandbox.createBucket("safe", { objectLock: { mode: "GOVERNANCE", days: 1 } });
    const { VersionId } = await s3.send(new PutObjectCommand({ ...at(), Body: "x" }));
    await expectRefusal(s3.send(new DeleteObjectCommand(at(VersionId))), "AccessDenied", 403);
    const many = await s3.send(
      new DeleteObjectsCommand({ Bucket: "safe", Delete: { Objects: [{ Key: "a", VersionId }] } }),
    );
    expect(many.Errors?.map((error) => error.Code)).toEqual(["AccessDenied"]);
    // A delete without a version only hides it.
    await s3.send(new DeleteObjectCommand(at()));
    expect(sandbox.versions("safe", "a")).toHaveLength(2);
    await s3.send(new DeleteObjectCommand({ ...at(VersionId), BypassGovernanceRetention: true }));
    expect(sandbox.versions("safe", "a").map((one) => one.deleteMarker)).toEqual([true]);
  });

  test("keeps versions under COMPLIANCE from everybody, and lets the date only grow", async ({ sandbox, s3 }) => {
    sandbox.createBucket("safe", { objectLock: true });
    const until = tomorrow();
    const lock = { ObjectLockMode: "COMPLIANCE", ObjectLockRetainUntilDate: until } as const;
    const { VersionId } = await s3.send(new PutObjectCommand({ ...at(), Body: "x", ...lock }));
    await expectRefusal(
      s3.send(new DeleteObjectCommand({ ...at(VersionId), BypassGovernanceRetention: true })),
      "AccessDenied",
      403,
    );
    const retain = (RetainUntilDate: Date) =>
      new PutObjectRetentionCommand({ ...at(), Retention: { Mode: "COMPLIANCE", RetainUntilDate } });
    await expectRefusal(s3.send(retain(new Date(until.getTime() - 60_000))), "AccessDenied", 403);
    const later = new Date(until.getTime() + 60_000);
    await s3.send(retain(later));
    expect((await s3.send(new GetObjectRetentionCommand(at()))).Retention?.RetainUntilDate).toEqual(later);
    expect(sandbox.object("safe", "a")?.retention).toEqual({ mode: "COMPLIANCE", until: later });
  });

  test("keeps a version under legal hold until that ends", async ({ sandbox, s3 }) => {
    sandbox.createBucket("safe", { objectLock: true });
    const put = new PutObjectCommand({ ...at(), Body: "x", ObjectLockLegalHoldStatus: "ON" });
    const { VersionId } = await s3.send(put);
    expect((await s3.send(new HeadObjectCommand(at()))).ObjectLockLegalHoldStatus).toBe("ON");
    await expectRefusal(s3.send(new DeleteObjectCommand(at(VersionId))), "AccessDenied", 403);
    await s3.send(new PutObjectLegalHoldCommand({ ...at(), LegalHold: { Status: "OFF" } }));
    expect((await s3.send(new GetObjectLegalHoldCommand(at()))).LegalHold?.Status).toBe("OFF");
    await s3.send(new DeleteObjectCommand(at(VersionId)));
    expect(sandbox.versions("safe", "a")).toEqual([]);
  });

  test("demands a digest of what it shall keep", async ({ sandbox }) => {
    sandbox.createBucket("safe", { objectLock: { mode: "GOVERNANCE", days: 1 } });
    const bare = await raw(sandbox, { method: "PUT", path: "/safe/a", body: "x" });
    expect([bare.status, /<Code>(\w+)/.exec(bare.text)?.[1]]).toEqual([400, "InvalidRequest"]);
    const headers = { "content-md5": hash("md5", "x", "base64") };
    expect((await raw(sandbox, { method: "PUT", path: "/safe/a", body: "x", headers })).status).toBe(200);
  });

  test("does not carry a lock over to a copy, unless it is asked for", async ({ sandbox, s3 }) => {
    sandbox.createBucket("safe", { objectLock: true });
    await s3.send(new PutObjectCommand({ ...at(), Body: "x", ObjectLockLegalHoldStatus: "ON" }));
    await s3.send(new CopyObjectCommand({ Bucket: "safe", Key: "b", CopySource: "safe/a" }));
    const until = tomorrow();
    const lock = { ObjectLockMode: "GOVERNANCE", ObjectLockRetainUntilDate: until } as const;
    await s3.send(new CopyObjectCommand({ Bucket: "safe", Key: "c", CopySource: "safe/a", ...lock }));
    expect(["b", "c"].map((key) => sandbox.object("safe", key)?.retention?.until)).toEqual([undefined, until]);
  });
});

test("a bucket without Object Lock refuses locks instead of ignoring them", async ({ s3 }) => {
  const put = new PutObjectCommand({ Bucket: "docs", Key: "a", Body: "x", ObjectLockLegalHoldStatus: "ON" });
  await expectRefusal(s3.send(put), "InvalidRequest", 400);
  const configure = new PutObjectLockConfigurationCommand({
    Bucket: "docs",
    ObjectLockConfiguration: { ObjectLockEnabled: "Enabled" },
  });
  await expectRefusal(s3.send(configure), "InvalidBucketState", 409);
});

test("others than the owner may not bypass governance, even where they may delete", async ({ sandbox, s3 }) => {
  const guest = { accessKeyId: "guest", secretAccessKey: "g", account: "111122223333" };
  sandbox.addCredentials(guest);
  sandbox.createBucket("safe", { objectLock: { mode: "GOVERNANCE", days: 1 }, blockPublicAccess: false });
  const { VersionId } = await s3.send(new PutObjectCommand({ ...at(), Body: "x" }));
  const Policy = JSON.stringify({
    Statement: [
      {
        Effect: "Allow",
        Principal: { AWS: guest.account },
        Action: ["s3:DeleteObject", "s3:DeleteObjectVersion"],
        Resource: "arn:aws:s3:::safe/*",
      },
    ],
  });
  await s3.send(new PutBucketPolicyCommand({ Bucket: "safe", Policy }));
  const theirs = connect(sandbox, { credentials: guest });
  const bypass = new DeleteObjectCommand({ ...at(VersionId), BypassGovernanceRetention: true });
  await expectRefusal(theirs.send(bypass), "AccessDenied", 403);
  await theirs.send(new DeleteObjectCommand(at()));
});
