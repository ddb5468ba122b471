import type { Access } from "../model/access.ts";
import { withCredentials } from "./contract.ts";
import {
  ContentType,
  type CredentialsRef,
  Destination,
  Encryption,
  Metadata,
  ObjectRef,
  OnConflict,
  StorageClass,
  Tags,
} from "../model/entities.ts";

/** The fields that copy-object and move-object share. What is not given is carried over from the source. */
export const copyFields = {
  ...withCredentials,
  object: ObjectRef,
  destination: Destination,
  onConflict: OnConflict.default("overwrite"),
  contentType: ContentType.optional(),
  metadata: Metadata.optional(),
  tags: Tags.optional(),
  storageClass: StorageClass.optional(),
  encryption: Encryption.optional(),
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
