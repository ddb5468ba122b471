import crypto from "node:crypto";
import { CustomerKeyText, type CustomerKeyRef, SEALED_KEY, SealedKeyPayload } from "../model/customer-key.ts";
import { ActivityError } from "../model/activity-error.ts";
import type { CredentialsRef } from "../model/entities.ts";
import type { CustomerKey, ResolvedProfile } from "./resolved-profile.ts";
import type { SealKeys } from "./seal-keys.ts";
import { checkTimes, openToken } from "./sealed-token.ts";
import { readSecret } from "./static-provider.ts";

type Sources = {
  readonly env: NodeJS.ProcessEnv;
  readonly resolve: (credentials: CredentialsRef | undefined) => Promise<ResolvedProfile>;
  /** Absent: sealed keys are refused. */
  readonly sealKeys: SealKeys | undefined;
};

/** Finds the keys that customers encrypt with. They are read anew each time, so that one that was changed holds at once. */
export function customerKeysOf({ env, resolve, sealKeys }: Sources) {
  return async (ref: CustomerKeyRef, credentials: CredentialsRef | undefined): Promise<CustomerKey> => {
    if (typeof ref === "object") return keyOf(await openSealed(ref.sealed, sealKeys));
    const { connection, customerKeys = {} } = await resolve(credentials);
    const place = Object.hasOwn(customerKeys, ref) ? customerKeys[ref] : undefined;
    if (place === undefined) throw invalid(`expected ${ref} among the customerKeys of profile ${connection.name}`);
    const asked = { profile: connection.name, provider: "customerKeys", name: ref };
    const text = CustomerKeyText.safeParse(await readSecret(place, env, asked));
    // Nothing of the value is told: it may be a key with one character too many.
    if (!text.success) throw invalid(`expected 32 bytes in base64 as the customer's key ${ref} of ${connection.name}`);
    return keyOf(text.data);
  };
}

async function openSealed(token: string, keys: SealKeys | undefined): Promise<string> {
  if (keys === undefined)
    throw invalid("this worker opens no sealed keys; expected BUCKETLINE_SEAL_KEYS_FILE in its configuration");
  const { payload } = await openToken(token, keys, {
    typ: SEALED_KEY.typ,
    payload: SealedKeyPayload,
    what: "a key",
    invalid,
  });
  checkTimes(payload, invalid);
  return payload.customerKey;
}

function keyOf(key: string): CustomerKey {
  return { key, md5: crypto.hash("md5", Buffer.from(key, "base64"), "base64") };
}

function invalid(sentence: string): ActivityError {
  return new ActivityError("InvalidCustomerKey", sentence, { field: "customerKey" });
}
