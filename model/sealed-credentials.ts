import { z } from "zod";
import { Region } from "./region.ts";

/** JWE header values that a sealed token must have. https://www.rfc-editor.org/rfc/rfc7518#section-4.6 */
export const SEALED = { alg: "ECDH-ES", enc: "A256GCM", typ: "bucketline-credentials" } as const;

const Secret = z.string().min(1).max(8_192);

/** What an app seals to the workers' public key: an identity, and from when to when the workers may use it. */
export const SealedPayload = z.strictObject({
  accessKeyId: z.string().min(1).max(256),
  secretAccessKey: Secret,
  sessionToken: Secret.optional(),
  /** When the store itself stops accepting them. */
  expiration: z.iso.datetime().optional(),
  region: Region.optional(),
  /** Seconds since 1970. */
  iat: z.int().positive(),
  exp: z.int().positive(),
});
export type SealedPayload = z.infer<typeof SealedPayload>;
