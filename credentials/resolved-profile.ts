import type { CredentialsRef } from "../model/entities.ts";
import type { Connection } from "./connection.ts";
import type { Policy } from "./allowance.ts";

/** A connection, and what may be done with it. Without a policy everything may. */
export type ResolvedProfile = { readonly connection: Connection; readonly policy?: Policy };

/** The worker's profiles. */
export type Profiles = {
  readonly names: readonly string[];
  /** Throws `UnknownProfile`, or `InvalidSealedCredentials`. Absent means the profile `default`. */
  resolve(credentials: CredentialsRef | undefined): Promise<ResolvedProfile>;
};
