import { describe, expect, test } from "vitest";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import { sealCredentials } from "./seal-credentials.ts";

const pair = await generateKeyPair("ECDH-ES", { crv: "P-256", extractable: true });
const publicKey: JWK = { ...(await exportJWK(pair.publicKey)), kid: "k1" };
const identity = { accessKeyId: "AKIATENANT", secretAccessKey: "canary-7f3a" };

describe("sealing", () => {
  test("gives a new token each time, for a key or the first key of a set", async () => {
    const one = await sealCredentials(publicKey, identity);
    const other = await sealCredentials({ keys: [publicKey] }, identity);
    expect(one.sealed).toMatch(/^[\w-]+\.[\w-]*\.[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(other.sealed).not.toBe(one.sealed);
    const header: unknown = JSON.parse(Buffer.from(one.sealed.split(".")[0] ?? "", "base64url").toString());
    expect(header).toMatchObject({ alg: "ECDH-ES", enc: "A256GCM", kid: "k1", typ: "bucketline-credentials" });
  });

  test("refuses a private key: it belongs to the workers", async () => {
    const privateKey = await exportJWK(pair.privateKey);
    await expect(sealCredentials(privateKey, identity)).rejects.toMatchObject({
      code: "InvalidInput",
      field: "publicKey",
    });
    await expect(sealCredentials(privateKey, identity)).rejects.toThrow("got a private one");
  });

  test.each([
    ["no key", { keys: [] }],
    ["another kind of key", { kty: "oct", k: "AAAA" }],
    ["null", null],
    ["a point that is not on its curve", { ...publicKey, x: publicKey.y, y: publicKey.y }],
    ["a curve that nobody knows", { ...publicKey, crv: "P-1" }],
    ["a curve that nobody knows, without a kid", { ...publicKey, crv: "P-1", kid: undefined }],
  ])("refuses %s as the key", async (_, key) => {
    // Wrong on purpose: what a caller without types may pass.
    await expect(sealCredentials(key as JWK, identity)).rejects.toMatchObject({
      code: "InvalidInput",
      field: "publicKey",
      message: expect.stringContaining("expected a public EC key as JWK") as string,
    });
  });

  test.each([null, 5, { expires: 5 }])("refuses %j as the options", async (options) => {
    await expect(sealCredentials(publicKey, identity, options as object)).rejects.toMatchObject({
      code: "InvalidInput",
      message: expect.stringContaining("options of sealCredentials") as string,
    });
  });

  test.each([
    ["a missing secret", { accessKeyId: "canary-7f3a" }, "secretAccessKey"],
    ["an endpoint, which is the workers' to say", { ...identity, endpoint: "http://canary-7f3a" }, "credentials"],
    ["the region aws-global", { ...identity, region: "aws-global" }, "region"],
    ["a wrong end", { ...identity, expiration: "tomorrow" }, "expiration"],
  ])("refuses %s without quoting a value", async (_, credentials, field) => {
    // Wrong on purpose: what a caller without types may pass.
    const sealing = sealCredentials(publicKey, credentials as typeof identity);
    const error = await sealing.catch((caught: unknown) => caught as Error);
    expect(error).toMatchObject({ code: "InvalidInput", message: expect.stringContaining(`${field}:`) as string });
    expect((error as Error).message).not.toContain("canary");
  });

  test.each([0, -1, 1.5, 400 * 24 * 3600])("refuses %d seconds as expiresIn", async (expiresIn) => {
    await expect(sealCredentials(publicKey, identity, { expiresIn })).rejects.toThrow("expiresIn:");
  });

  test("refuses credentials that have expired", async () => {
    const expiration = new Date(Date.now() - 1_000);
    await expect(sealCredentials(publicKey, { ...identity, expiration })).rejects.toMatchObject({
      code: "InvalidInput",
      field: "expiration",
    });
  });

  test("refuses what does not fit into a job", async () => {
    const sessionToken = "t".repeat(8_192);
    await sealCredentials(publicKey, { ...identity, sessionToken });
    const both = { accessKeyId: "A", secretAccessKey: "s".repeat(8_192), sessionToken };
    await expect(sealCredentials(publicKey, both)).rejects.toThrow("at most 16,384 characters");
  });
});
