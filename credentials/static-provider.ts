import { readFile } from "node:fs/promises";
import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from "@smithy/types";
import { type Asked, credentialsUnavailable } from "./unavailable.ts";
import type { SecretRef } from "./provider-config.ts";

/** A session token is the longest of them, a few KiB. */
const MAX_CHARACTERS = 16_384;
/** Values of one set in several files: read until two readings agree, so that a replacement in between is not torn. */
const MAX_READINGS = 5;

/** Where the parts of one identity are found. */
type StaticRefs = {
  readonly accessKeyId: SecretRef;
  readonly secretAccessKey: SecretRef;
  readonly sessionToken?: SecretRef | undefined;
  readonly expiration?: SecretRef | undefined;
};

/** Credentials from environment variables and files, read anew at each call. */
export function staticProvider(refs: StaticRefs, env: NodeJS.ProcessEnv, asked: Asked): AwsCredentialIdentityProvider {
  return async () => {
    let before = await readAll(refs, env, asked);
    for (let reading = 2; reading <= MAX_READINGS; reading++) {
      const now = await readAll(refs, env, asked);
      if (sameValues(before, now)) return identityOf(now, asked);
      before = now;
    }
    throw credentialsUnavailable(asked, "the files keep changing while they are read", { retryable: true });
  };
}

type Values = { readonly [name in keyof StaticRefs]: string | undefined };

async function readAll(refs: StaticRefs, env: NodeJS.ProcessEnv, asked: Asked): Promise<Values> {
  const read = (name: keyof StaticRefs) => {
    const ref = refs[name];
    return ref === undefined ? undefined : readSecret(ref, env, { ...asked, name });
  };
  const [accessKeyId, secretAccessKey, sessionToken, expiration] = await Promise.all([
    read("accessKeyId"),
    read("secretAccessKey"),
    read("sessionToken"),
    read("expiration"),
  ]);
  return { accessKeyId, secretAccessKey, sessionToken, expiration };
}

/** A value from where it is kept, without the whitespace around it. */
export async function readSecret(
  ref: SecretRef,
  env: NodeJS.ProcessEnv,
  asked: Asked & { readonly name: string },
): Promise<string> {
  const place = ref.env === undefined ? `the file ${ref.file}` : `the environment variable ${ref.env}`;
  const value = ref.env === undefined ? await readValue(ref.file ?? "", asked) : env[ref.env];
  if (value === undefined || value.trim() === "")
    throw credentialsUnavailable(asked, `expected ${asked.name} in ${place}, got nothing`, { retryable: false });
  if (value.length > MAX_CHARACTERS)
    throw credentialsUnavailable(asked, `expected at most 16,384 characters in ${place}`, { retryable: false });
  return value.trim();
}

async function readValue(path: string, asked: Asked & { readonly name: string }): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unreadable"; // node:fs throws nothing else
    throw credentialsUnavailable(asked, `expected ${asked.name} in the file ${path}, got ${code}`, {
      retryable: false,
    });
  }
}

function sameValues(one: Values, other: Values): boolean {
  return (
    one.accessKeyId === other.accessKeyId &&
    one.secretAccessKey === other.secretAccessKey &&
    one.sessionToken === other.sessionToken &&
    one.expiration === other.expiration
  );
}

function identityOf(values: Values, asked: Asked): AwsCredentialIdentity {
  const { accessKeyId = "", secretAccessKey = "", sessionToken, expiration } = values;
  const identity = { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
  if (expiration === undefined) return identity;
  const end = new Date(expiration);
  if (Number.isNaN(end.getTime()))
    throw credentialsUnavailable(asked, "expected an ISO 8601 time as expiration", { retryable: false });
  return { ...identity, expiration: end };
}
