import { createHash, createHmac } from "node:crypto";
import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from "@smithy/types";
import { LRUCache } from "lru-cache";
import { ActivityError } from "../model/activity-error.ts";
import { SEALED, SealedPayload } from "../model/sealed-credentials.ts";
import { credentialsUnavailable } from "./unavailable.ts";
import type { ResolvedProfile } from "./resolved-profile.ts";
import type { SealKey, SealKeys } from "./seal-keys.ts";

/** A batch resolves the same token for each of its chunks. */
const MAX_OPENED = 1_000;
/** Clocks of apps and workers may differ by this. */
const CLOCK_TOLERANCE_S = 60;

/** What the worker's configuration adds to an identity that an app sealed. */
export type SealedProfile = (opened: {
  readonly name: string;
  readonly region: string | undefined;
  readonly credentials: AwsCredentialIdentityProvider;
}) => ResolvedProfile;

/** Opens sealed credentials. The result throws `InvalidSealedCredentials`, which never quotes the token. */
export function sealedOpener(keys: SealKeys, profile: SealedProfile): (token: string) => Promise<ResolvedProfile> {
  const tokens = new LRUCache<string, { readonly payload: SealedPayload; readonly name: string }>({ max: MAX_OPENED });
  const identities = new LRUCache<string, Identity>({ max: MAX_OPENED });
  return async (token) => {
    const id = createHash("sha256").update(token).digest("base64url");
    let opened = tokens.get(id);
    if (opened === undefined) {
      const { payload, key } = await open(token, keys);
      opened = { payload, name: nameOf(payload, key) };
      tokens.set(id, opened);
    }
    const { payload, name } = opened;
    checkTimes(payload);
    const identity = identities.get(name) ?? newIdentity(payload, name, profile);
    // An open client of this name serves every token of the identity, so it holds until the last of them expires.
    identity.end.exp = Math.max(identity.end.exp, payload.exp);
    identities.set(name, identity);
    return identity.resolved;
  };
}

type Identity = { readonly resolved: ResolvedProfile; readonly end: { exp: number } };

function newIdentity(payload: SealedPayload, name: string, profile: SealedProfile): Identity {
  const end = { exp: payload.exp };
  return { end, resolved: profile({ name, region: payload.region, credentials: providerOf(payload, name, end) }) };
}

async function open(
  token: string,
  keys: SealKeys,
): Promise<{ readonly payload: SealedPayload; readonly key: SealKey }> {
  const { compactDecrypt, decodeProtectedHeader } = await import("jose");
  const { kid, typ } = orInvalid(() => decodeProtectedHeader(token), "a JWE token");
  const key = kid === undefined ? undefined : keys.get(kid);
  if (typ !== SEALED.typ || key === undefined)
    throw invalid(`expected a token of type ${SEALED.typ}, sealed to a key of this worker`);
  const { plaintext } = await compactDecrypt(token, key.key, {
    keyManagementAlgorithms: [SEALED.alg],
    contentEncryptionAlgorithms: [SEALED.enc],
  }).catch(() => {
    // Kept without its cause: what is wrong with a token is nobody's business but its maker's.
    throw invalid("expected an intact token, sealed to a key of this worker");
  });
  const json = orInvalid((): unknown => JSON.parse(new TextDecoder().decode(plaintext)), "JSON in the token");
  const payload = SealedPayload.safeParse(json);
  if (payload.success) return { payload: payload.data, key };
  throw invalid(
    `expected credentials in the token; wrong: ${payload.error.issues.map((issue) => issue.path.join(".") || "the whole").join(", ")}`,
  );
}

function checkTimes({ iat, exp }: SealedPayload): void {
  const now = Date.now() / 1000;
  if (iat > now + CLOCK_TOLERANCE_S)
    throw invalid(`sealed at ${isoTime(iat)}, which has not come yet; expected clocks within a minute of each other`);
  if (exp <= now) throw invalid(`expired at ${isoTime(exp)}`);
}

function providerOf(
  payload: SealedPayload,
  name: string,
  end: { readonly exp: number },
): AwsCredentialIdentityProvider {
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = payload;
  const identity: AwsCredentialIdentity = {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken !== undefined && { sessionToken }),
    ...(expiration !== undefined && { expiration: new Date(expiration) }),
  };
  const provider: AwsCredentialIdentityProvider = async () => {
    if (end.exp * 1000 <= Date.now())
      throw credentialsUnavailable(
        { profile: name, provider: "sealed" },
        `the sealed token expired at ${isoTime(end.exp)}`,
        {
          retryable: false,
        },
      );
    return identity;
  };
  // The SDK's clients ask each time, so that a token's end counts in mid batch too.
  return Object.assign(provider, { memoized: true });
}

/**
 * One name for one whole identity, the secret too: else who knows an access key id could seal it with a wrong secret and be
 * served by a client that was made for the right one. Keyed with the private key, so that a weak secret cannot be guessed from it.
 */
function nameOf({ accessKeyId, secretAccessKey, sessionToken, region }: SealedPayload, key: SealKey): string {
  const whole = JSON.stringify([accessKeyId, secretAccessKey, sessionToken ?? null, region ?? null]);
  const fingerprint = createHmac("sha256", key.fingerprintSecret).update(whole).digest("hex").slice(0, 20);
  return `sealed:${fingerprint}`;
}

function isoTime(seconds: number): string {
  const time = new Date(seconds * 1000);
  return Number.isNaN(time.getTime()) ? "no valid time" : time.toISOString();
}

function orInvalid<Value>(read: () => Value, expected: string): Value {
  try {
    return read();
  } catch {
    throw invalid(`expected ${expected}`);
  }
}

function invalid(sentence: string): ActivityError {
  return new ActivityError("InvalidSealedCredentials", sentence, { field: "credentials" });
}
