import { createHash, createHmac } from "node:crypto";
import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from "@smithy/types";
import { LRUCache } from "lru-cache";
import { ActivityError } from "../model/activity-error.ts";
import { SEALED, SealedPayload } from "../model/sealed-credentials.ts";
import { credentialsUnavailable } from "./unavailable.ts";
import type { ResolvedProfile } from "./resolved-profile.ts";
import type { SealKey, SealKeys } from "./seal-keys.ts";
import { checkTimes, isoTime, openToken } from "./sealed-token.ts";

/** A batch resolves the same token for each of its chunks. */
const MAX_OPENED = 1_000;

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
      const { payload, key } = await openToken(token, keys, {
        typ: SEALED.typ,
        payload: SealedPayload,
        what: "credentials",
        invalid,
      });
      opened = { payload, name: nameOf(payload, key) };
      tokens.set(id, opened);
    }
    const { payload, name } = opened;
    checkTimes(payload, invalid);
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

function invalid(sentence: string): ActivityError {
  return new ActivityError("InvalidSealedCredentials", sentence, { field: "credentials" });
}
