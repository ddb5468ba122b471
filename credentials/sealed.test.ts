import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CompactEncrypt, importJWK, type JSONWebKeySet, type JWK } from "jose";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { sealCredentials } from "../producer/seal-credentials.ts";
import { loadProfiles } from "./load-profiles.ts";
import { generateSealKeys } from "./seal-keys.ts";

// The clock alone is ours; promises and cryptography run as ever.
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-11-22T12:00:00Z") }));
afterEach(() => void vi.useRealTimers());

const oneMinute = { iat: Date.UTC(2026, 10, 22, 12) / 1000, exp: Date.UTC(2026, 10, 22, 12, 1) / 1000 };
const identity = { accessKeyId: "AKIATENANT", secretAccessKey: "tenant-secret" };

async function openerWith(keys: JSONWebKeySet, section: object = {}, env: NodeJS.ProcessEnv = {}) {
  const folder = await mkdtemp(join(tmpdir(), "bucketline-sealed-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const [file, keysFile] = [join(folder, "profiles.json"), join(folder, "keys.json")];
  await writeFile(keysFile, JSON.stringify(keys));
  await writeFile(file, JSON.stringify({ profiles: { default: { provider: "chain" } }, sealed: section }));
  return loadProfiles({ file, env, sealing: { keysFile } });
}

/** A token whose payload and header are as we please, sealed to a real key. */
async function forge(
  publicKeys: JSONWebKeySet,
  payload: unknown,
  header: object = {},
): Promise<{ readonly sealed: string }> {
  const key = publicKeys.keys[0] as JWK & { readonly kid: string };
  const plain = new TextEncoder().encode(typeof payload === "string" ? payload : JSON.stringify(payload));
  const sealed = await new CompactEncrypt(plain)
    .setProtectedHeader({ alg: "ECDH-ES", enc: "A256GCM", typ: "bucketline-credentials", kid: key.kid, ...header })
    .encrypt(await importJWK(key, "ECDH-ES"));
  return { sealed };
}

const refusal = (message: string) => ({
  code: "InvalidSealedCredentials",
  retryable: false,
  field: "credentials",
  message: expect.stringContaining(message) as string,
});

describe("credentials that an app sealed", () => {
  test("are opened by a worker with the private key, and by no other", async () => {
    const ours = await generateSealKeys();
    const expiration = new Date(Date.now() + 3_600_000);
    const sealed = await sealCredentials(ours.publicKeys, { ...identity, sessionToken: "token", expiration });
    expect(JSON.stringify(sealed)).not.toMatch(/TENANT|tenant|token/);
    const { connection, policy } = await (await openerWith(ours.privateKeys)).resolve(sealed);
    expect(connection.name).toMatch(/^sealed:[0-9a-f]{20}$/);
    // What the section does not allow is not allowed: anybody may seal.
    expect(policy).toEqual([]);
    expect(await connection.credentials()).toEqual({ ...identity, sessionToken: "token", expiration });
    const theirs = await openerWith((await generateSealKeys()).privateKeys);
    await expect(theirs.resolve(sealed)).rejects.toMatchObject(refusal("sealed to a key of this worker"));
  });

  test("take everything but the identity and the region from the worker's configuration", async () => {
    const { privateKeys, publicKeys } = await generateSealKeys();
    const allow = [{ activities: ["get-object"], buckets: ["in"] }];
    const profiles = await openerWith(privateKeys, { endpoint: "http://store:9000", region: "fsn1", allow });
    const plain = await profiles.resolve(await sealCredentials(publicKeys, identity));
    expect(plain).toMatchObject({ connection: { endpoint: "http://store:9000", region: "fsn1" }, policy: allow });
    const elsewhere = await profiles.resolve(await sealCredentials(publicKeys, { ...identity, region: "hel1" }));
    expect(elsewhere.connection).toMatchObject({ endpoint: "http://store:9000", region: "hel1" });
    const endpoint = await forge(publicKeys, { ...identity, endpoint: "http://evil", ...oneMinute });
    await expect(profiles.resolve(endpoint)).rejects.toMatchObject(refusal("expected credentials in the token"));
  });

  test("are refused by a worker without seal keys", async () => {
    const { publicKeys } = await generateSealKeys();
    const profiles = await loadProfiles({ env: {} });
    const resolving = profiles.resolve(await sealCredentials(publicKeys, identity));
    await expect(resolving).rejects.toMatchObject(refusal("BUCKETLINE_SEAL_KEYS_FILE"));
  });

  test("are opened with old and new keys while the keys are rotated", async () => {
    const [old, fresh] = [await generateSealKeys(), await generateSealKeys()];
    const profiles = await openerWith({ keys: [...fresh.privateKeys.keys, ...old.privateKeys.keys] });
    for (const { publicKeys } of [old, fresh]) {
      const { connection } = await profiles.resolve(await sealCredentials(publicKeys, identity));
      expect((await connection.credentials()).accessKeyId).toBe("AKIATENANT");
    }
  });

  test("have one name for one whole identity: who knows the access key alone gets another", async () => {
    const { privateKeys, publicKeys } = await generateSealKeys();
    const profiles = await openerWith(privateKeys);
    const nameOf = async (credentials: typeof identity) =>
      (await profiles.resolve(await sealCredentials(publicKeys, credentials))).connection.name;
    expect(await nameOf(identity)).toBe(await nameOf({ ...identity }));
    expect(await nameOf({ ...identity, secretAccessKey: "guess" })).not.toBe(await nameOf(identity));
  });
});

describe("in time", () => {
  test("a token is refused after a day, or when the app said", async () => {
    const { privateKeys, publicKeys } = await generateSealKeys();
    const profiles = await openerWith(privateKeys);
    const [day, minute] = [
      await sealCredentials(publicKeys, identity),
      await sealCredentials(publicKeys, identity, { expiresIn: 60 }),
    ];
    await profiles.resolve(minute);
    vi.setSystemTime(new Date("2026-11-22T12:01:00Z"));
    await expect(profiles.resolve(minute)).rejects.toMatchObject(refusal("expired at 2026-11-22T12:01:00.000Z"));
    vi.setSystemTime(new Date("2026-11-23T11:59:59Z"));
    await profiles.resolve(day);
    vi.setSystemTime(new Date("2026-11-23T12:00:00Z"));
    await expect(profiles.resolve(day)).rejects.toMatchObject(refusal("expired at 2026-11-23T12:00:00.000Z"));
  });

  test("an open connection stops at the end of its last token", async () => {
    const { privateKeys, publicKeys } = await generateSealKeys();
    const profiles = await openerWith(privateKeys);
    const { connection } = await profiles.resolve(await sealCredentials(publicKeys, identity, { expiresIn: 60 }));
    await profiles.resolve(await sealCredentials(publicKeys, identity, { expiresIn: 120 }));
    vi.setSystemTime(Date.now() + 90_000);
    await connection.credentials();
    vi.setSystemTime(Date.now() + 30_000);
    await expect(connection.credentials()).rejects.toMatchObject({ code: "CredentialsUnavailable", retryable: false });
  });

  test("a token from the future is refused, past a minute of clock difference", async () => {
    const { privateKeys, publicKeys } = await generateSealKeys();
    const profiles = await openerWith(privateKeys);
    const token = await sealCredentials(publicKeys, identity);
    vi.setSystemTime(Date.now() - 59_000);
    await profiles.resolve(token);
    vi.setSystemTime(Date.now() - 2_000);
    await expect(profiles.resolve(token)).rejects.toMatchObject(refusal("has not come yet"));
  });
});

describe("a token that somebody sealed by other means", () => {
  const { iat: at } = oneMinute;
  const year = 366 * 24 * 3600;

  test("lasts for 366 days and no longer", async () => {
    const { privateKeys, publicKeys } = await generateSealKeys();
    const profiles = await openerWith(privateKeys);
    await profiles.resolve(await forge(publicKeys, { ...identity, iat: at, exp: at + year }));
    for (const [iat, exp] of [
      [at, at + year + 1],
      [1, at + 60],
      [at, Number.MAX_SAFE_INTEGER],
    ])
      await expect(profiles.resolve(await forge(publicKeys, { ...identity, iat, exp }))).rejects.toMatchObject(
        refusal("lasts for more than 366 days"),
      );
  });

  test("is not unpacked, and puts nothing into headers but what belongs there", async () => {
    const { privateKeys, publicKeys } = await generateSealKeys();
    const profiles = await openerWith(privateKeys);
    const packed = await forge(publicKeys, { ...identity, ...oneMinute }, { zip: "DEF" });
    await expect(profiles.resolve(packed)).rejects.toMatchObject(refusal("expected an intact token"));
    for (const field of ["accessKeyId", "sessionToken"]) {
      const split = await forge(publicKeys, { ...identity, ...oneMinute, [field]: "a\r\nx-amz-acl: public-read" });
      await expect(profiles.resolve(split)).rejects.toMatchObject(refusal(`wrong: ${field}`));
    }
  });
});

describe("tokens that are wrong", () => {
  test("are refused one and all, with nothing of them in the message", async () => {
    const { privateKeys, publicKeys } = await generateSealKeys();
    const profiles = await openerWith(privateKeys);
    const { sealed } = await sealCredentials(publicKeys, identity);
    const parts = sealed.split(".");
    const body = parts[3] ?? "";
    const damaged = [...parts.slice(0, 3), (body.startsWith("A") ? "B" : "A") + body.slice(1), parts[4]].join(".");
    const tokens = [
      "canary-7f3a",
      "a.b.c.d.e",
      damaged,
      (await forge(publicKeys, "canary-7f3a")).sealed,
      (await forge(publicKeys, { accessKeyId: "canary-7f3a" })).sealed,
      (await forge(publicKeys, { ...identity, ...oneMinute }, { typ: "JWT" })).sealed,
      (await forge(publicKeys, { ...identity, ...oneMinute }, { kid: "canary-7f3a" })).sealed,
      (await forge(publicKeys, { ...identity, ...oneMinute }, { enc: "A128GCM" })).sealed,
      (await forge(publicKeys, { ...identity, ...oneMinute }, { alg: "ECDH-ES+A256KW" })).sealed,
      (await forge(publicKeys, { ...identity, ...oneMinute, region: "aws-global" })).sealed,
    ];
    for (const token of tokens) {
      const error: unknown = await profiles.resolve({ sealed: token }).catch((caught: unknown) => caught);
      expect(error).toMatchObject(refusal("InvalidSealedCredentials"));
      expect((error as Error).message).not.toMatch(/canary|tenant/i);
      expect((error as Error).cause).toBeUndefined();
    }
  });
});

describe("a file of seal keys", () => {
  const load = async (keys: unknown) => openerWith(keys as JSONWebKeySet);

  test("with public keys alone, twice the same, or none is refused without quoting it", async () => {
    const { privateKeys, publicKeys } = await generateSealKeys();
    const [key] = privateKeys.keys;
    await expect(load(publicKeys)).rejects.toThrow(/^InvalidConfiguration: .*keys\.0\.d: expected a private key/);
    await expect(load({ keys: [key, key] })).rejects.toThrow(/two keys with the kid/);
    await expect(load({ keys: [] })).rejects.toMatchObject({ code: "InvalidConfiguration" });
    const broken = { keys: [{ ...key, x: "canary-7f3a" }] };
    const message = await load(broken).catch((error: unknown) => (error as Error).message);
    expect(message).toMatch(/^InvalidConfiguration: .*not a valid point of P-256$/);
    expect(message).not.toContain("canary");
  });
});
