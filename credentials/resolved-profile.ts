import type { CustomerKeyRef } from "../model/customer-key.ts";
import type { CredentialsRef } from "../model/entities.ts";
import type { Connection } from "./connection.ts";
import type { Policy } from "./allowance.ts";
import type { SecretRef } from "./provider-config.ts";

/** A connection, and what may be done with it. Without a policy everything may. */
export type ResolvedProfile = {
  readonly connection: Connection;
  readonly policy?: Policy;
  /** The kind of its credential provider, such as `assume-role`. */
  readonly provider?: string;
  /** Where the customer's keys are found, by name. */
  readonly customerKeys?: Readonly<Record<string, SecretRef>>;
};

/** A customer's key and its MD5, both base64. */
export type CustomerKey = { readonly key: string; readonly md5: string };

/** The worker's profiles. */
export type Profiles = {
  readonly names: readonly string[];
  /** Throws `UnknownProfile`, or `InvalidSealedCredentials`. Absent means the profile `default`. */
  resolve(credentials: CredentialsRef | undefined): Promise<ResolvedProfile>;
  /** A key that these credentials' profile knows by this name, or that an app sealed. Throws `InvalidCustomerKey`. */
  customerKey(ref: CustomerKeyRef, credentials: CredentialsRef | undefined): Promise<CustomerKey>;
};
