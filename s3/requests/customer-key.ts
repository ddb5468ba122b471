import { LRUCache } from "lru-cache";
import type { CustomerKey } from "../../credentials/resolved-profile.ts";
import { ActivityError } from "../../model/activity-error.ts";
import type { ObjectRef } from "../../model/entities.ts";

/** How an object that a customer's key encrypts is told from others; its ETag is no MD5. */
export const CUSTOMER_ENCRYPTION = "SSE-C";

/** The customer's keys of one view of a store. */
export type CustomerKeys = {
  readonly read?: CustomerKey;
  readonly write?: CustomerKey;
  /** Which key opened an object lately. Absent where there are no keys. */
  readonly known?: KnownKeys;
};

/** What of a store counts here. */
type Keyed = { readonly connection: object; readonly customerKeys?: CustomerKeys };

type KnownKeys = LRUCache<string, { readonly key: CustomerKey | undefined }>;

export function createKnownKeys(): KnownKeys {
  return new LRUCache({ max: 10_000 });
}

/** For a request that writes an object. https://docs.aws.amazon.com/AmazonS3/latest/userguide/specifying-s3-c-encryption.html */
export function writeKeyInput({ customerKeys }: Keyed) {
  return keyInput(customerKeys?.write);
}

export function keyInput(key: CustomerKey | undefined): {
  SSECustomerAlgorithm?: string;
  SSECustomerKey?: string;
  SSECustomerKeyMD5?: string;
} {
  return key === undefined
    ? {}
    : { SSECustomerAlgorithm: "AES256", SSECustomerKey: key.key, SSECustomerKeyMD5: key.md5 };
}

/** For the source of a copy. */
export function sourceKeyInput(key: CustomerKey | undefined): {
  CopySourceSSECustomerAlgorithm?: string;
  CopySourceSSECustomerKey?: string;
  CopySourceSSECustomerKeyMD5?: string;
} {
  return key === undefined
    ? {}
    : {
        CopySourceSSECustomerAlgorithm: "AES256",
        CopySourceSSECustomerKey: key.key,
        CopySourceSSECustomerKeyMD5: key.md5,
      };
}

/** As headers, names in lower case. */
export function keyHeaders(key: CustomerKey | undefined, of: "object" | "source"): Record<string, string> {
  if (key === undefined) return {};
  const prefix = `x-amz-${of === "source" ? "copy-source-" : ""}server-side-encryption-customer-`;
  return { [`${prefix}algorithm`]: "AES256", [`${prefix}key`]: key.key, [`${prefix}key-md5`]: key.md5 };
}

/** What an answer to a write says that it is encrypted with. */
export function encryptionOf(answer: {
  readonly ServerSideEncryption?: string | undefined;
  readonly SSECustomerAlgorithm?: string | undefined;
}): string | undefined {
  return answer.SSECustomerAlgorithm === undefined ? answer.ServerSideEncryption : CUSTOMER_ENCRYPTION;
}

/** The key that an object was opened with before, else the one that sources have. */
export function keyOfSource({ customerKeys: { read, known } = {} }: Keyed, object: ObjectRef): CustomerKey | undefined {
  const before = known?.get(placeOf(object));
  return before === undefined ? read : before.key;
}

/**
 * Reads an object with the key that opens it: the source's, the destination's, or none. Stores refuse a wrong key, a missing one and one that is not
 * wanted, and no listing tells which object has one.
 */
export async function withItsKey<Result>(
  store: Keyed,
  object: ObjectRef,
  run: (key: CustomerKey | undefined) => Promise<Result>,
): Promise<Result> {
  const { known, read, write } = store.customerKeys ?? {};
  if (known === undefined) return await run(undefined);
  const candidates = new Set([keyOfSource(store, object), read, write, undefined]);
  let first: unknown;
  for (const key of candidates) {
    try {
      const result = await run(key);
      known.set(placeOf(object), { key });
      return result;
    } catch (error) {
      if (!isRefusedKey(error)) throw error;
      first ??= error;
    }
  }
  throw first;
}

/** 400 where a key is missing or not wanted, 403 where it is another. */
export function isRefusedKey(error: unknown): boolean {
  return error instanceof ActivityError && (error.httpStatus === 400 || error.httpStatus === 403);
}

function placeOf({ bucket, key, versionId = "" }: ObjectRef): string {
  return `${bucket}/${key}\n${versionId}`;
}
