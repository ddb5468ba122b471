import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from "@smithy/types";

/** How long before their end credentials are renewed, where they live long enough; the margin of AWS's own SDKs. */
const MARGIN_MS = 5 * 60_000;
/** After a failed renewal, while the old credentials still hold. */
const RETRY_MS = 10_000;
/** A forced renewal right after another one brings nothing new: all callers saw the same refusal. */
const FORCED_RENEWAL_MS = 1_000;

type Options = {
  /** How often credentials without an end are asked for again: somebody may have replaced them. */
  readonly recheckMs: number;
  /** Told of a renewal that failed while the old credentials still hold. */
  readonly onRenewalFailed?: ((error: unknown) => void) | undefined;
};

type Held = {
  readonly identity: AwsCredentialIdentity;
  readonly since: number;
  readonly end: number;
  /** From here on a renewal is started, and callers still get the old ones. */
  readonly refreshAt: number;
  /** From here on callers wait for the renewal. */
  readonly waitAt: number;
  /** Not before this, because the last renewal failed. */
  retryAt: number;
};

/**
 * Holds credentials until shortly before their end: five minutes, or a third of a shorter life. One renewal runs at a time.
 * While the old ones still hold nobody waits for it, and a failed one is tried again later; after their end its error is
 * the caller's. `{ forceRefresh: true }` asks anew, for use after the store said ExpiredToken.
 */
export function refreshing(provider: AwsCredentialIdentityProvider, options: Options): AwsCredentialIdentityProvider {
  let held: Held | undefined;
  let renewal: Promise<AwsCredentialIdentity> | undefined;

  const renew = (): Promise<AwsCredentialIdentity> => {
    renewal ??= provider()
      .then((identity) => {
        held = hold(identity, options.recheckMs);
        return identity;
      })
      .finally(() => {
        renewal = undefined;
      });
    return renewal;
  };

  /** A failure is the caller's only where the old credentials are past their end. */
  const renewOrKeep = async (old: Held): Promise<AwsCredentialIdentity> => {
    try {
      return await renew();
    } catch (error) {
      const now = Date.now();
      if (now >= old.end) throw error;
      if (now >= old.retryAt) options.onRenewalFailed?.(error);
      old.retryAt = now + Math.min(RETRY_MS, (old.end - now) / 4);
      return old.identity;
    }
  };

  const answer: AwsCredentialIdentityProvider = async (properties) => {
    if (held === undefined) return renew();
    const now = Date.now();
    if (properties?.["forceRefresh"] === true && now - held.since >= FORCED_RENEWAL_MS) return renew();
    if (now < Math.max(held.refreshAt, Math.min(held.retryAt, held.end))) return held.identity;
    const renewed = renewOrKeep(held);
    if (now >= held.waitAt) return renewed;
    renewed.catch(() => {}); // past its end by now: the next caller asks again and gets the error itself
    return held.identity;
  };
  // Else the SDK's clients would hold what has no expiration for ever, and a replaced secret would never reach them.
  return Object.assign(answer, { memoized: true });
}

function hold(identity: AwsCredentialIdentity, recheckMs: number): Held {
  const since = Date.now();
  const end = identity.expiration?.getTime() ?? Number.POSITIVE_INFINITY;
  const margin = Math.max(0, Math.min(MARGIN_MS, (end - since) / 3));
  const refreshAt = end === Number.POSITIVE_INFINITY ? since + recheckMs : end - margin;
  return { identity, since, end, refreshAt, waitAt: end - margin / 2, retryAt: 0 };
}
