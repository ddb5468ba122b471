import { DeleteBucketCorsCommand, GetBucketCorsCommand, PutBucketCorsCommand } from "@aws-sdk/client-s3";
import { expect } from "vitest";
import { expectRefusal, raw, test } from "../../fixtures.ts";

const rule = {
  AllowedOrigins: ["https://*.example.com"],
  AllowedMethods: ["GET", "PUT"],
  AllowedHeaders: ["x-amz-*"],
  ExposeHeaders: ["ETag"],
  MaxAgeSeconds: 60,
};

test("a page of an allowed origin may ask and read, another may not", async ({ sandbox, s3 }) => {
  sandbox.put("docs", "a", "x");
  const cors = { Bucket: "docs", CORSConfiguration: { CORSRules: [rule] } };
  await s3.send(new PutBucketCorsCommand(cors));
  expect((await s3.send(new GetBucketCorsCommand({ Bucket: "docs" }))).CORSRules).toEqual([rule]);
  const ask = (origin: string, more: Record<string, string> = {}) =>
    raw(sandbox, {
      method: "OPTIONS",
      path: "/docs/a",
      sign: false,
      headers: { origin, "access-control-request-method": "PUT", ...more },
    });
  const allowed = await ask("https://app.example.com", { "access-control-request-headers": "X-Amz-Date" });
  expect([
    allowed.status,
    allowed.headers["access-control-allow-origin"],
    allowed.headers["access-control-max-age"],
  ]).toEqual([200, "https://app.example.com", "60"]);
  expect((await ask("https://evil.example.org")).status).toBe(403);
  expect((await ask("https://app.example.com", { "access-control-request-headers": "x-other" })).status).toBe(403);
  const read = await raw(sandbox, { path: "/docs/a", headers: { origin: "https://app.example.com" } });
  expect(read.headers["access-control-expose-headers"]).toBe("ETag");
  expect((await raw(sandbox, { path: "/docs/a" })).headers["access-control-allow-origin"]).toBeUndefined();
  await s3.send(new DeleteBucketCorsCommand({ Bucket: "docs" }));
  await expectRefusal(s3.send(new GetBucketCorsCommand({ Bucket: "docs" })), "NoSuchCORSConfiguration", 404);
});
