import { expect, test } from "vitest";
import { createSigner } from "./sign.ts";

const credentials = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};
const request = {
  method: "GET",
  host: "examplebucket.s3.amazonaws.com",
  path: "/test.txt",
  query: "",
  headers: { range: "bytes=0-9" },
  region: "us-east-1",
  credentials,
};
const at = (date: string) => () => Date.parse(date);

// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, "Example: GET Object"
test("signs AWS's own example as AWS does", () => {
  expect(createSigner(at("2013-05-24T00:00:00Z"))(request)["authorization"]).toBe(
    "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  );
});

test("derives a new key for another day, secret and region, and signs the session token", () => {
  let now = Date.parse("2013-05-24T00:00:00Z");
  const sign = createSigner(() => now);
  const signatures = new Set([
    sign(request)["authorization"],
    sign({ ...request, region: "eu-west-3" })["authorization"],
    sign({ ...request, credentials: { ...credentials, secretAccessKey: "other" } })["authorization"],
  ]);
  now = Date.parse("2013-05-25T00:00:00Z");
  const fresh = createSigner(() => now)(request)["authorization"];
  expect(sign(request)["authorization"]).toBe(fresh);
  signatures.add(fresh);
  expect(signatures.size).toBe(4);
  const signed = sign({ ...request, credentials: { ...credentials, sessionToken: "token" } });
  expect(signed["x-amz-security-token"]).toBe("token");
  expect(signed["authorization"]).toContain("x-amz-security-token");
});
