import type { z } from "zod";
import type { ActivityError } from "../model/activity-error.ts";
import { MAX_SEALED_S, SEALED } from "../model/sealed-credentials.ts";
import type { SealKey, SealKeys } from "./seal-keys.ts";

/** Clocks of apps and workers may differ by this. */
const CLOCK_TOLERANCE_S = 60;

type Expected<Payload> = {
  /** What the token has to say that it is. */
  readonly typ: string;
  readonly payload: z.ZodType<Payload>;
  /** What it should hold, for errors. */
  readonly what: string;
  /** The error that a sentence becomes; it never quotes the token. */
  readonly invalid: (sentence: string) => ActivityError;
};

/** Opens what an app sealed to the workers' public key; whether it is of this time is another question. */
export async function openToken<Payload>(
  token: string,
  keys: SealKeys,
  { typ: expected, payload: schema, what, invalid }: Expected<Payload>,
): Promise<{ readonly payload: Payload; readonly key: SealKey }> {
  const { compactDecrypt, decodeProtectedHeader } = await import("jose");
  const orInvalid = <Value>(read: () => Value, wanted: string): Value => {
    try {
      return read();
    } catch {
      throw invalid(`expected ${wanted}`);
    }
  };
  const { kid, typ } = orInvalid(() => decodeProtectedHeader(token), "a JWE token");
  const key = kid === undefined ? undefined : keys.get(kid);
  if (typ !== expected || key === undefined)
    throw invalid(`expected a token of type ${expected}, sealed to a key of this worker`);
  const { plaintext } = await compactDecrypt(token, key.key, {
    keyManagementAlgorithms: [SEALED.alg],
    contentEncryptionAlgorithms: [SEALED.enc],
    maxDecompressedLength: 0, // ours are never compressed
  }).catch(() => {
    // Kept without its cause: what is wrong with a token is nobody's business but its maker's.
    throw invalid("expected an intact token, sealed to a key of this worker");
  });
  const json = orInvalid((): unknown => JSON.parse(new TextDecoder().decode(plaintext)), "JSON in the token");
  const payload = schema.safeParse(json);
  if (payload.success) return { payload: payload.data, key };
  const wrong = payload.error.issues.map((issue) => issue.path.join(".") || "the whole").join(", ");
  throw invalid(`expected ${what} in the token; wrong: ${wrong}`);
}

/** Throws where a token is of the future, lasts for longer than any may, or has expired. */
export function checkTimes(
  { iat, exp }: { readonly iat: number; readonly exp: number },
  invalid: (sentence: string) => ActivityError,
): void {
  const now = Date.now() / 1000;
  if (iat > now + CLOCK_TOLERANCE_S)
    throw invalid(`sealed at ${isoTime(iat)}, which has not come yet; expected clocks within a minute of each other`);
  // Whoever seals by other means than ours may not make one for ever either.
  if (exp - iat > MAX_SEALED_S) throw invalid("lasts for more than 366 days; expected `exp` within them from `iat` on");
  if (exp <= now) throw invalid(`expired at ${isoTime(exp)}`);
}

export function isoTime(seconds: number): string {
  const time = new Date(seconds * 1000);
  return Number.isNaN(time.getTime()) ? "no valid time" : time.toISOString();
}
