import { readFile } from "node:fs/promises";
import type { CryptoKey, JSONWebKeySet, JWK } from "jose";
import { z } from "zod";
import { ActivityError } from "../model/activity-error.ts";
import { SEALED } from "../model/sealed-credentials.ts";

const CURVE = "P-256";

const PrivateKey = z.looseObject({
  kty: z.literal("EC"),
  crv: z.enum(["P-256", "P-384", "P-521"]),
  x: z.string().min(1),
  y: z.string().min(1),
  d: z.string({ error: "expected a private key; d is missing" }).min(1),
  kid: z.string().min(1).optional(),
});
const KeySet = z.object({ keys: z.array(PrivateKey).min(1) });

/** A key that opens, and what tells identities sealed to it apart without giving them away. */
export type SealKey = { readonly key: CryptoKey; readonly fingerprintSecret: string };
export type SealKeys = ReadonlyMap<string, SealKey>;

/**
 * Makes a key pair for sealed credentials. `privateKeys` goes into the workers' `BUCKETLINE_SEAL_KEYS_FILE`, `publicKeys` to
 * the apps. To rotate, put the new private key beside the old one, then hand out the new public key.
 *
 * @example
 * import { generateSealKeys } from "bucketline/worker";
 *
 * const { publicKeys, privateKeys } = await generateSealKeys();
 * console.log(JSON.stringify(publicKeys), Object.keys(privateKeys));
 */
export async function generateSealKeys(): Promise<{
  readonly privateKeys: JSONWebKeySet;
  readonly publicKeys: JSONWebKeySet;
}> {
  const { calculateJwkThumbprint, exportJWK, generateKeyPair } = await import("jose");
  const pair = await generateKeyPair(SEALED.alg, { crv: CURVE, extractable: true });
  const open: JWK = await exportJWK(pair.publicKey);
  const about = { kid: await calculateJwkThumbprint(open), alg: SEALED.alg, use: "enc" };
  return {
    privateKeys: { keys: [{ ...(await exportJWK(pair.privateKey)), ...about }] },
    publicKeys: { keys: [{ ...open, ...about }] },
  };
}

/** Reads a JWK set with private keys. Throws `InvalidConfiguration`; no message quotes the file. */
export async function readSealKeys(path: string): Promise<SealKeys> {
  const parsed = KeySet.safeParse(parseJson(await readText(path)));
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join(".") || "the file"}: ${issue.message}`);
    throw invalid(path, problems.join("; "));
  }
  const { calculateJwkThumbprint, importJWK } = await import("jose");
  const keys = new Map<string, SealKey>();
  // PrivateKey has just found the members of a private EC key in each.
  for (const jwk of parsed.data.keys as readonly (JWK & { readonly d: string })[]) {
    const kid = jwk.kid ?? (await calculateJwkThumbprint(jwk));
    if (keys.has(kid)) throw invalid(path, `two keys with the kid ${kid}`);
    const key = await importJWK(jwk, SEALED.alg).catch(() => {
      // Its message may quote the key.
      throw invalid(path, `the key ${kid} is not a valid point of ${jwk.crv}`);
    });
    keys.set(kid, { key: key as CryptoKey, fingerprintSecret: jwk.d }); // bytes only for symmetric keys, and kty is EC
  }
  return keys;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unreadable"; // node:fs throws nothing else
    throw new ActivityError("InvalidConfiguration", `expected a readable seal keys file at ${path}, got ${code}`, {
      cause: error,
    });
  }
}

/** `undefined` fails the schema; V8's own message would quote the file. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function invalid(path: string, problem: string): ActivityError {
  return new ActivityError("InvalidConfiguration", `expected a JWK set with private EC keys in ${path}: ${problem}`);
}
