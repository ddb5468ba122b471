import { z } from "zod";
import { defineSecretContract, withRequester } from "../contract.ts";
import { PRESIGNED_ACTIVITY } from "../../model/access.ts";
import { ObjectRef } from "../../model/entities.ts";

/** Signature V4 query strings live at most seven days. https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html */
const MAX_EXPIRES_S = 604_800;

/** Makes a URL with which anybody may read, write or delete one object for a while. The URL is a secret, so it lies in a document and not in Redis. */
export const presignObject = defineSecretContract({
  name: "presign-object",
  summary: "Make a presigned URL for an object",
  input: z.strictObject({
    ...withRequester,
    object: ObjectRef,
    method: z.enum(["get", "put", "delete"]).default("get").meta({ description: "What the URL allows" }),
    expiresIn: z.int().min(1).max(MAX_EXPIRES_S).default(900).meta({ description: "Seconds until it ends, to 7 days" }),
  }),
  secret: z.strictObject({
    url: z.url().meta({ description: "The URL. Whoever has it may do what it allows" }),
    expiresAt: z.iso.datetime().meta({ description: "When it ends, in UTC" }),
  }),
  access: ({ credentials, object: { bucket, key }, method }) => [
    { credentials, bucket, key },
    // Else a policy for reading would give out URLs that delete.
    { credentials, bucket, key, activity: PRESIGNED_ACTIVITY[method] },
  ],
});
