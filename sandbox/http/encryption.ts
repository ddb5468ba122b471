import crypto from "node:crypto";
import { PLAIN_FACTS, type Encryption } from "../storage/stored-object.ts";
import { header, type Call } from "./call.ts";
import { invalidArgument, S3Error } from "./s3-error.ts";

const SSE = "x-amz-server-side-encryption";

/**
 * Server-side encryption, or undefined when the request names none.
 *
 * @throws S3Error InvalidArgument for headers that exclude each other or are incomplete
 */
export function readEncryption(call: Call): Encryption | undefined {
  const customerKeyMd5 = readCustomerKey(call, `${SSE}-customer-`);
  const algorithm = header(call, SSE);
  if (customerKeyMd5 !== undefined) {
    if (algorithm !== undefined)
      throw invalidArgument(
        SSE,
        algorithm,
        "Server Side Encryption with Customer provided key is incompatible with the encryption method specified",
      );
    return { algorithm: "AES256", customerKeyMd5 };
  }
  const kmsKeyId = header(call, `${SSE}-aws-kms-key-id`);
  if (kmsKeyId !== undefined && (algorithm === undefined || !algorithm.startsWith("aws:kms")))
    throw invalidArgument(
      SSE,
      algorithm ?? "",
      "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
    );
  if (algorithm === undefined) return undefined;
  if (algorithm === "AES256") return PLAIN_FACTS.encryption;
  if (algorithm !== "aws:kms" && algorithm !== "aws:kms:dsse")
    throw invalidArgument(SSE, algorithm, "The encryption method specified is not supported");
  const encryption: Encryption = { algorithm, kmsKeyId: kmsKeyId ?? "arn:aws:kms:us-east-1:000000000000:key/aws-s3" };
  if (header(call, `${SSE}-bucket-key-enabled`) === "true") encryption.bucketKey = true;
  const context = header(call, `${SSE}-context`);
  if (context !== undefined) encryption.context = context;
  return encryption;
}

/** Reads name no method of encryption: S3 knows it. @throws S3Error InvalidArgument */
export function refuseEncryptionOnRead(call: Call): void {
  const algorithm = call.headers[SSE];
  if (typeof algorithm === "string")
    throw invalidArgument(SSE, algorithm, `${SSE} header is not supported for this operation.`);
}

/**
 * The MD5 of a customer's key (SSE-C), base64, or undefined when the request brings none. AWS takes such keys over TLS only;
 * the sandbox takes them as they come.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
 */
export function readCustomerKey(call: Call, prefix: string): string | undefined {
  const algorithm = header(call, `${prefix}algorithm`);
  const [key, md5] = [header(call, `${prefix}key`), header(call, `${prefix}key-md5`)];
  if (algorithm === undefined && key === undefined && md5 === undefined) return undefined;
  if (algorithm === undefined || key === undefined || md5 === undefined)
    throw invalidArgument(
      `${prefix}algorithm`,
      algorithm ?? "",
      "Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate algorithm, secret key and its MD5.",
    );
  if (algorithm !== "AES256")
    throw new S3Error(
      "InvalidEncryptionAlgorithmError",
      "The encryption request you specified is not valid. The valid value is AES256.",
    );
  const bytes = Buffer.from(key, "base64");
  if (bytes.length !== 32)
    throw invalidArgument(`${prefix}key`, "", "The secret key was invalid for the specified algorithm.");
  if (crypto.hash("md5", bytes, "base64") !== md5)
    throw invalidArgument(
      `${prefix}key-MD5`,
      md5,
      "The calculated MD5 hash of the key did not match the hash that was provided.",
    );
  return md5;
}

/** Every part of an upload with a customer's key brings that key. @throws S3Error InvalidRequest */
export function checkPartKey(call: Call, encryption: Encryption): void {
  const given = readCustomerKey(call, `${SSE}-customer-`);
  if (given === encryption.customerKeyMd5) return;
  throw new S3Error(
    "InvalidRequest",
    encryption.customerKeyMd5 === undefined
      ? "The multipart upload initiate did not request encryption with a customer's key."
      : "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.",
  );
}

/** Refuses reads of an SSE-C object without its key. */
export function checkCustomerKey(encryption: Encryption, given: string | undefined): void {
  if (encryption.customerKeyMd5 === given) return;
  if (given === undefined || encryption.customerKeyMd5 === undefined) {
    throw new S3Error(
      "InvalidRequest",
      "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.",
    );
  }
  throw new S3Error("AccessDenied", "Access Denied");
}

/** Answer headers for an object's encryption. */
export function encryptionHeaders(encryption: Encryption): string[] {
  if (encryption.customerKeyMd5 !== undefined) {
    return [
      "x-amz-server-side-encryption-customer-algorithm",
      "AES256",
      "x-amz-server-side-encryption-customer-key-MD5",
      encryption.customerKeyMd5,
    ];
  }
  const headers = ["x-amz-server-side-encryption", encryption.algorithm];
  if (encryption.kmsKeyId !== undefined)
    headers.push("x-amz-server-side-encryption-aws-kms-key-id", encryption.kmsKeyId);
  if (encryption.bucketKey) headers.push("x-amz-server-side-encryption-bucket-key-enabled", "true");
  return headers;
}
