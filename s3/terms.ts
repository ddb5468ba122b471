import type { CustomerKey, Profiles } from "../credentials/resolved-profile.ts";
import type { CustomerKeyRef } from "../model/customer-key.ts";
import type { CredentialsRef } from "../model/entities.ts";

/** What a job says of all its requests. */
export type RequestTerms = {
  /** Default: as the profile says. */
  readonly requesterPays?: boolean | undefined;
  /** Told the SDK's name of the operation of each request as it goes out, repeats included; must not throw. */
  readonly onSent?: ((operation: string) => void) | undefined;
  /** With which customer's keys objects are read and written (SSE-C). Objects without one are read all the same. */
  readonly customerKeys?: { readonly read?: CustomerKey; readonly write?: CustomerKey };
};

/** The fields of a job's input, or a batch's, that say it. */
export type AskedTerms = {
  readonly credentials?: CredentialsRef | undefined;
  readonly requesterPays?: boolean | undefined;
  readonly customerKey?: CustomerKeyRef | undefined;
  readonly encryption?: unknown;
  readonly destination?:
    | { readonly credentials?: CredentialsRef | undefined; readonly customerKey?: CustomerKeyRef | undefined }
    | undefined;
};

/**
 * The terms of an input; `undefined` where it says nothing, so that its requests share what others have. A copy is encrypted with its source's
 * key, as all that is not said is carried over, unless another key or encryption is named.
 *
 * @throws ActivityError `InvalidCustomerKey`
 */
export async function resolveTerms(
  { credentials, requesterPays, customerKey, encryption, destination }: AskedTerms,
  profiles: Pick<Profiles, "customerKey">,
): Promise<RequestTerms | undefined> {
  const theirs = destination?.customerKey;
  if (requesterPays === undefined && customerKey === undefined && theirs === undefined) return undefined;
  const read = customerKey === undefined ? undefined : await profiles.customerKey(customerKey, credentials);
  const own =
    theirs === undefined ? undefined : await profiles.customerKey(theirs, destination?.credentials ?? credentials);
  const write = own ?? (encryption === undefined ? read : undefined);
  const customerKeys = { ...(read !== undefined && { read }), ...(write !== undefined && { write }) };
  return { requesterPays, customerKeys };
}
