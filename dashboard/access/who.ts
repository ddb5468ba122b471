import type { Role, Scope } from "./rights.ts";

/** Who asks. `open`: somebody on this machine, where no login is set up. */
export type Identity = {
  readonly kind: "open" | "session" | "token" | "proxy" | "oidc" | "host";
  readonly name: string;
  readonly role: Role;
  /** Of tokens that are for a part of everything. */
  readonly scope?: Scope;
};
