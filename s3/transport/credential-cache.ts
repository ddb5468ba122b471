import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from "@smithy/types";

/** Refreshes so long before the end that requests already signed still arrive in time. */
const EARLY_MS = 5 * 60_000;
/** How soon a provider is asked again: where it names no end, or keeps answering with nearly spent credentials. */
const WITHOUT_EXPIRY_MS = 5_000;
const NEARLY_SPENT_MS = 10_000;

export type CredentialCache = {
  readonly get: () => Promise<AwsCredentialIdentity>;
  /** The credentials held now, where no refresh is due: saves the fast path a promise for each request. */
  readonly peek: () => AwsCredentialIdentity | undefined;
  /** The next call asks the provider: the store said that these have expired. */
  readonly forget: () => void;
};

/** One refresh for all who wait, shared by both paths and every region. While old credentials last, a failed refresh is not an error. */
export function createCredentialCache(
  provider: AwsCredentialIdentityProvider,
  now: () => number = Date.now,
): CredentialCache {
  let held: AwsCredentialIdentity | undefined;
  let due = 0;
  let refreshing: Promise<AwsCredentialIdentity> | undefined;
  let refused = false;

  const lasts = (identity: AwsCredentialIdentity): boolean =>
    identity.expiration === undefined || identity.expiration.getTime() > now();

  async function refresh(): Promise<AwsCredentialIdentity> {
    try {
      // What the store refused must not come out of the provider's own memory again.
      const fresh = await (refused ? provider({ forceRefresh: true }) : provider());
      refused = false;
      held = fresh;
      const end = fresh.expiration?.getTime();
      due = end === undefined ? now() + WITHOUT_EXPIRY_MS : Math.max(end - EARLY_MS, now() + NEARLY_SPENT_MS);
      return fresh;
    } catch (error) {
      if (held === undefined || !lasts(held)) throw error;
      due = now() + NEARLY_SPENT_MS;
      return held;
    } finally {
      refreshing = undefined;
    }
  }

  const peek = (): AwsCredentialIdentity | undefined =>
    held !== undefined && now() < due && lasts(held) ? held : undefined;
  return {
    peek,
    get: async () => peek() ?? (await (refreshing ??= refresh())),
    forget: () => {
      held = undefined;
      refused = true;
    },
  };
}
