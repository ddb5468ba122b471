import { z } from "zod";
import { Region } from "./region.ts";

/** JWE header values that a sealed token must have. https://www.rfc-editor.org/rfc/rfc7518#section-4.6 */
export const SEALED = { alg: "ECDH-ES", enc: "A256GCM", typ: "bucketline-credentials" } as const;

/** The longest that a token may last, in seconds. */
export const MAX_SEALED_S = 366 * 24 * 3600;

const Secret = z.string().min(1).max(8_192);
/** What stands in a header of every request. */
const InHeader = /^[\x21-\x7e]+$/;

/** What an app seals to the workers' public key: an identity, and from when to when the workers may use it. */
export const SealedPayload = z.strictObject({
  accessKeyId: z
    .string()
    .min(1)
    .max(256)
    .regex(InHeader, { error: "expected letters, digits and signs without spaces" }),
  secretAccessKey: Secret,
  sessionToken: Secret.regex(InHeader, { error: "expected letters, digits and signs without spaces" }).optional(),
  /** When the store itself stops accepting them. */
  expiration: z.iso.datetime().optional(),
  region: Region.optional(),
  /** Seconds since 1970. */
  iat: z.int().positive(),
  exp: z.int().positive(),
});
export type SealedPayload = z.infer<typeof SealedPayload>;
