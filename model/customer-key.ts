import { z } from "zod";
import { SEALED } from "./sealed-credentials.ts";

/**
 * The customer's key that encrypts an object (SSE-C): the name of one that the profile knows, or one that the app sealed to the workers' public
 * key. Never the key itself, which would lie in Redis. https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
 */
export const CustomerKeyRef = z
  .union([
    z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
      error:
        "expected the name of a customer's key in the profile: 1 to 64 letters, digits, dots, hyphens or underscores",
    }),
    z.strictObject({
      sealed: z.string().min(1).max(16_384).meta({ description: "What the app's own key became when it was sealed" }),
    }),
  ])
  .meta({
    id: "CustomerKeyRef",
    description:
      "The customer's key that encrypts an object (SSE-C): one that the profile knows, or one sealed to the workers' public key",
  });
export type CustomerKeyRef = z.infer<typeof CustomerKeyRef>;

/** A sealed key is no sealed identity, and none will pass for the other. */
export const SEALED_KEY = { ...SEALED, typ: "bucketline-customer-key" } as const;

/** 256 bits, base64. */
export const CustomerKeyText = z.string().regex(/^[A-Za-z0-9+/]{43}=$/, { error: "expected 32 bytes in base64" });

/** What an app seals: the key, and from when to when the workers may use it, in seconds since 1970. */
export const SealedKeyPayload = z.strictObject({
  customerKey: CustomerKeyText,
  iat: z.int().positive(),
  exp: z.int().positive(),
});
export type SealedKeyPayload = z.infer<typeof SealedKeyPayload>;
