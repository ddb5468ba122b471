import {
  CopyObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  RestoreObjectCommand,
} from "@aws-sdk/client-s3";
import { expect } from "vitest";
import { expectRefusal, test } from "../../fixtures.ts";

const cold = { Bucket: "docs", Key: "cold" };

test("an archived object is neither read nor copied before it is restored", async ({ sandbox, s3 }) => {
  sandbox.put("docs", "cold", "x", { storageClass: "GLACIER" });
  const copy = () => s3.send(new CopyObjectCommand({ Bucket: "docs", Key: "warm", CopySource: "docs/cold" }));
  await expectRefusal(s3.send(new GetObjectCommand(cold)), "InvalidObjectState", 403);
  await expectRefusal(copy(), "InvalidObjectState", 403);
  const restore = () => s3.send(new RestoreObjectCommand({ ...cold, RestoreRequest: { Days: 2 } }));
  expect((await restore()).$metadata.httpStatusCode).toBe(202);
  expect((await restore()).$metadata.httpStatusCode).toBe(200);
  expect((await s3.send(new HeadObjectCommand(cold))).Restore).toMatch(/^ongoing-request="false", expiry-date="/);
  expect(await (await s3.send(new GetObjectCommand(cold))).Body?.transformToString()).toBe("x");
  await copy();
  expect(sandbox.object("docs", "cold")?.storageClass).toBe("GLACIER");
});

test("listings tell the restore when they are asked", async ({ sandbox, s3 }) => {
  sandbox.put("docs", "cold", "x", { storageClass: "DEEP_ARCHIVE" });
  sandbox.put("docs", "plain", "x");
  await s3.send(new RestoreObjectCommand({ ...cold, RestoreRequest: { Days: 1 } }));
  const list = (more: object) => s3.send(new ListObjectsV2Command({ Bucket: "docs", ...more }));
  const asked = await list({ OptionalObjectAttributes: ["RestoreStatus"] });
  expect(asked.Contents?.map((one) => one.RestoreStatus?.IsRestoreInProgress)).toEqual([false, undefined]);
  expect(asked.Contents?.[0]?.RestoreStatus?.RestoreExpiryDate?.getTime()).toBeGreaterThan(Date.now());
  expect((await list({})).Contents?.[0]?.RestoreStatus).toBeUndefined();
});

test("what is not archived cannot be restored", async ({ sandbox, s3 }) => {
  sandbox.put("docs", "plain", "x");
  const request = new RestoreObjectCommand({ Bucket: "docs", Key: "plain", RestoreRequest: { Days: 1 } });
  await expectRefusal(s3.send(request), "InvalidObjectState", 403);
});
