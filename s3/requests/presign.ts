import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { Call, S3 } from "../interface.ts";
import { toActivityError } from "../error-mapping.ts";
import { regionOf } from "../transport/send.ts";
import { ownedBy } from "../options.ts";
import type { Store } from "../store.ts";

/**
 * A URL that lets its holder do one thing with one object, signed for the bucket's own region because nobody follows a
 * redirect with it. It ends with the credentials that signed it, if they end first.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
 */
export async function presign(
  store: Store,
  request: Parameters<S3["presign"]>[0],
  call: Call,
): Promise<{ readonly url: string; readonly expiresAt: string }> {
  const { object, method, expiresIn } = request;
  const input = { Bucket: object.bucket, Key: object.key, ...ownedBy(store) };
  const version = { VersionId: object.versionId };
  const client = store.clients.forPresigning(await regionOf(store, object.bucket, call));
  try {
    const now = Date.now();
    const { expiration } = await store.credentials.get();
    const options = { expiresIn };
    const url =
      method === "put"
        ? await getSignedUrl(client, new PutObjectCommand(input), options)
        : method === "get"
          ? await getSignedUrl(client, new GetObjectCommand({ ...input, ...version }), options)
          : await getSignedUrl(client, new DeleteObjectCommand({ ...input, ...version }), options);
    const end = Math.min(now + expiresIn * 1000, expiration?.getTime() ?? Number.POSITIVE_INFINITY);
    return { url, expiresAt: new Date(end).toISOString() };
  } catch (error) {
    throw toActivityError(error, { operation: "presign", bucket: object.bucket, key: object.key, store: store.name });
  }
}
