import { readFile } from "node:fs/promises";
import type { CryptoKey, JSONWebKeySet, JWK } from "jose";
import { z } from "zod";
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

/** Reads a JWK set with private keys, or says what is wrong with it; that never quotes the file. */
export async function readSealKeys(path: string): Promise<{ readonly keys?: SealKeys; readonly problem?: string }> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unreadable"; // node:fs throws nothing else
    return { problem: `expected a readable seal keys file at ${path}, got ${code}` };
  }
  const wrong = (problem: string) => ({ problem: `expected a JWK set with private EC keys in ${path}: ${problem}` });
  const parsed = KeySet.safeParse(parseJson(text));
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join(".") || "the file"}: ${issue.message}`);
    return wrong(problems.join("; "));
  }
  const { calculateJwkThumbprint, importJWK } = await import("jose");
  const keys = new Map<string, SealKey>();
  // PrivateKey has just found the members of a private EC key in each.
  for (const jwk of parsed.data.keys as readonly (JWK & { readonly d: string })[]) {
    const kid = jwk.kid ?? (await calculateJwkThumbprint(jwk));
    if (keys.has(kid)) return wrong(`two keys with the kid ${kid}`);
    // What it rejects with may quote the key.
    const key = await importJWK(jwk, SEALED.alg).catch(() => undefined);
    if (key === undefined) return wrong(`the key ${kid} is not a valid point of ${jwk.crv}`);
    keys.set(kid, { key: key as CryptoKey, fingerprintSecret: jwk.d }); // bytes only for symmetric keys, and kty is EC
  }
  return { keys };
}

/** `undefined` fails the schema; V8's own message would quote the file. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
