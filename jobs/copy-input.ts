import type { z } from "zod";
import type { Access } from "../model/access.ts";
import { refuseLargeHeaders, refuseTwoEncryptions, withCustomerKey } from "./contract.ts";
import { CustomerKeyRef } from "../model/customer-key.ts";
import { type CredentialsRef, Destination, ObjectRef, OnConflict } from "../model/entities.ts";
import { type CopiedAttributes, copiedFields } from "../model/attributes/carried.ts";

/** The fields that copy-object and move-object share. What is not given is carried over from the source. */
export const copyFields = {
  ...withCustomerKey,
  customerKey: CustomerKeyRef.optional().meta({
    description:
      "The customer's key that encrypts the source (SSE-C), and the copy where neither destination.customerKey nor encryption is given",
  }),
  object: ObjectRef.meta({ description: "The source: an object, or one version of it" }),
  destination: Destination,
  onConflict: OnConflict.default("overwrite"),
  ...copiedFields,
};

/** A copy touches both ends, each with its own credentials. */
export function copyAccess(input: {
  readonly credentials?: CredentialsRef | undefined;
  readonly object: ObjectRef;
  readonly destination: Destination;
}): readonly Access[] {
  const { credentials, object, destination } = input;
  return [
    { credentials, bucket: object.bucket, key: object.key },
    {
      credentials: destination.credentials ?? credentials,
      bucket: destination.bucket,
      key: destination.key ?? object.key,
    },
  ];
}

/** What the single fields of a copy do not tell. */
export function checkCopy(
  input: CopiedAttributes & { readonly destination: Destination },
  context: z.core.$RefinementCtx,
): void {
  const { encryption, destination } = input;
  refuseLargeHeaders(input, context);
  refuseTwoEncryptions({ encryption, customerKey: destination.customerKey }, context, ["destination"]);
}
