import type { JSONWebKeySet, JWK } from "jose";
import { z } from "zod";
import { ActivityError } from "../model/activity-error.ts";
import { parseOptions } from "../jobs/parse-input.ts";
import { CustomerKeyText, SEALED_KEY, type SealedKeyPayload } from "../model/customer-key.ts";
import { Region } from "../model/region.ts";
import { MAX_SEALED_S, SEALED, SealedPayload } from "../model/sealed-credentials.ts";

/** Seconds; a job that waits in its queue longer than this fails. */
const DEFAULT_EXPIRES_IN = 24 * 3600;
/** What a job's `credentials.sealed` may hold. */
const MAX_CHARACTERS = 16_384;

const Credentials = SealedPayload.omit({ iat: true, exp: true }).extend({
  expiration: z.union([z.date(), z.iso.datetime({ offset: true })]).optional(),
  region: Region.optional(),
});
const Options = z.strictObject({ expiresIn: z.unknown().optional() });
const ExpiresIn = z.int().min(1).max(MAX_SEALED_S).default(DEFAULT_EXPIRES_IN);

const PublicKey = z.looseObject({ kty: z.literal("EC"), crv: z.string(), x: z.string(), y: z.string() });

/** An identity to seal; `expiration` is when the store stops accepting it, where it is temporary. */
export type CredentialsToSeal = z.input<typeof Credentials>;

/**
 * Seals credentials to the workers' public key, so that they can travel in a job: only workers that hold the private key
 * can open them. Pass the result as the job's `credentials`. The token is still a secret of its kind: whoever can add jobs
 * can use it until it expires.
 *
 * @param publicKey a JWK, or a JWK set, whose first key is used (`bucketline seal-keys` writes one).
 * @param options.expiresIn seconds for which workers accept it, 1 to 31,622,400; default 86,400 (a day); never past `expiration`.
 * @throws ActivityError `InvalidInput` (the message never quotes a value), for instance for a private key.
 *
 * @example
 * import { sealCredentials } from "bucketline";
 *
 * const keys = { accessKeyId: "AKIA…", secretAccessKey: "…" };
 * const credentials = await sealCredentials(publicKey, keys, { expiresIn: 3600 });
 * await producer.run("list-objects", { bucket: "inbox", credentials });
 */
export async function sealCredentials(
  publicKey: JWK | JSONWebKeySet,
  credentials: CredentialsToSeal,
  options: { readonly expiresIn?: number } = {},
): Promise<{ readonly sealed: string }> {
  const { expiresIn } = parseOptions("options of sealCredentials", Options, options);
  return await seal(publicKey, SEALED, () => payloadOf(credentials, expiresIn));
}

/**
 * Seals a customer's key (SSE-C) to the workers' public key. Pass the result as `customerKey` of a job, a batch or a destination.
 *
 * @param customerKey 32 bytes, or their base64.
 * @param options.expiresIn seconds for which workers accept it, 1 to 31,622,400; default 86,400 (a day).
 * @throws ActivityError `InvalidInput` (the message never quotes a value).
 *
 * @example
 * import { randomBytes } from "node:crypto";
 * import { sealCustomerKey } from "bucketline";
 *
 * const customerKey = await sealCustomerKey(publicKey, randomBytes(32));
 * await producer.run("head-object", { object: { bucket: "inbox", key: "a.txt" }, customerKey });
 */
export async function sealCustomerKey(
  publicKey: JWK | JSONWebKeySet,
  customerKey: Uint8Array | string,
  options: { readonly expiresIn?: number } = {},
): Promise<{ readonly sealed: string }> {
  const { expiresIn } = parseOptions("options of sealCustomerKey", Options, options);
  return await seal(publicKey, SEALED_KEY, (): SealedKeyPayload => {
    const text = typeof customerKey === "string" ? customerKey : Buffer.from(customerKey).toString("base64");
    const given = CustomerKeyText.safeParse(text);
    if (!given.success) throw invalid(given.error.issues.map((issue) => ({ ...issue, path: ["customerKey"] })));
    const { iat, exp } = timesOf(expiresIn);
    return { customerKey: given.data, iat, exp };
  });
}

async function seal(
  publicKey: JWK | JSONWebKeySet,
  header: typeof SEALED | typeof SEALED_KEY,
  make: () => object,
): Promise<{ readonly sealed: string }> {
  const key = checkedKey(publicKey);
  const payload = make();
  // Loaded here, so that apps that seal nothing do not pay for it.
  const { CompactEncrypt, calculateJwkThumbprint, importJWK } = await import("jose");
  const encrypt = async () =>
    await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(payload)))
      .setProtectedHeader({ ...header, kid: key.kid ?? (await calculateJwkThumbprint(key)) })
      .encrypt(await importJWK(key, SEALED.alg));
  const sealed = await encrypt().catch((cause: unknown) => {
    // A point that is not on its curve, or a curve that nobody knows.
    throw keyError(cause);
  });
  if (sealed.length > MAX_CHARACTERS)
    throw new ActivityError(
      "InvalidInput",
      "expected credentials that seal to at most 16,384 characters; the session token is too long",
    );
  return { sealed };
}

function checkedKey(publicKey: JWK | JSONWebKeySet): JWK {
  const key = isKeySet(publicKey) ? publicKey.keys[0] : publicKey;
  if (typeof key === "object" && key !== null && "d" in key)
    throw new ActivityError(
      "InvalidInput",
      "expected the workers' public key, got a private one: it belongs to the workers alone",
      {
        field: "publicKey",
      },
    );
  if (!PublicKey.safeParse(key).success) throw keyError();
  // PublicKey has just found the members of an EC public key in it.
  return key as JWK;
}

function isKeySet(key: JWK | JSONWebKeySet | null | undefined): key is JSONWebKeySet {
  return Array.isArray((key as JSONWebKeySet | null | undefined)?.keys); // a JWK has no member of that name
}

function keyError(cause?: unknown): ActivityError {
  return new ActivityError("InvalidInput", "expected a public EC key as JWK, or a JWK set with one", {
    field: "publicKey",
    cause,
  });
}

function payloadOf(credentials: CredentialsToSeal, expiresIn: unknown): SealedPayload {
  const given = Credentials.safeParse(credentials);
  if (!given.success) throw invalid(given.error.issues);
  const times = timesOf(expiresIn);
  const { expiration: end, ...identity } = given.data;
  const { iat } = times;
  const expiration = end === undefined ? undefined : new Date(end);
  const exp = Math.min(times.exp, expiration === undefined ? Infinity : Math.floor(expiration.getTime() / 1000));
  if (exp <= iat)
    throw new ActivityError("InvalidInput", "expected credentials that have not expired", { field: "expiration" });
  return { ...identity, ...(expiration !== undefined && { expiration: expiration.toISOString() }), iat, exp };
}

function timesOf(expiresIn: unknown): { readonly iat: number; readonly exp: number } {
  const seconds = ExpiresIn.safeParse(expiresIn);
  if (!seconds.success) throw invalid(seconds.error.issues.map((issue) => ({ ...issue, path: ["expiresIn"] })));
  const iat = Math.floor(Date.now() / 1000);
  return { iat, exp: iat + seconds.data };
}

/** zod's messages name types and limits, never a value. */
function invalid(issues: readonly z.core.$ZodIssue[]): ActivityError {
  const problems = issues.map((issue) => `${issue.path.join(".") || "credentials"}: ${issue.message}`).join("; ");
  const field = issues[0]?.path.join(".") ?? "";
  return new ActivityError("InvalidInput", `expected credentials to seal: ${problems}`, field === "" ? {} : { field });
}
