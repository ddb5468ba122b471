import type { AwsCredentialIdentityProvider } from "@smithy/types";
import type { Proxy } from "./proxy.ts";

/** How to reach one store with one identity: what a profile, or a sealed job, resolves to. */
export type Connection = {
  /** The profile's name, or `sealed:` and a fingerprint. Two connections of one name are the same store and identity. */
  readonly name: string;
  /**
   * Ask before each request: it holds what it has until shortly before its end, and marks itself so that the SDK's clients
   * ask each time too. `{ forceRefresh: true }` renews at once, for after the store said ExpiredToken. Rejects with
   * `CredentialsUnavailable`.
   */
  readonly credentials: AwsCredentialIdentityProvider;
  readonly region: string;
  /** Absent: AWS. */
  readonly endpoint?: string;
  /** Where GetCallerIdentity is asked. Absent: AWS's STS where `endpoint` is absent too, else there is none. */
  readonly stsEndpoint?: string;
  /** `http://host/bucket/key` instead of `http://bucket.host/key`; default true with an endpoint. */
  readonly pathStyle: boolean;
  /** `when-required` for stores that choke on the SDK's default CRC32. */
  readonly checksums: "when-supported" | "when-required";
  /** The store enforces If-Match on DeleteObject and the ETag in DeleteObjects. True on AWS, false for other endpoints unless the profile says so. */
  readonly conditionalDelete: boolean;
  /** The store enforces `x-amz-copy-source-if-match`. True on AWS, false for other endpoints unless the profile says so. */
  readonly conditionalCopy: boolean;
  /**
   * The store enforces If-None-Match on what PutObject, CopyObject and CompleteMultipartUpload write: some do on the source of a copy and not on its
   * destination. Where it does not, a look at the destination comes first. True on AWS, false for other endpoints unless the profile says so.
   * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
   */
  readonly conditionalWrite: boolean;
  readonly expectedBucketOwner?: string;
  /** The requester pays, unless a job says otherwise. https://docs.aws.amazon.com/AmazonS3/latest/userguide/RequesterPaysBuckets.html */
  readonly requesterPays?: boolean;
  /** Bytes above which a copy inside the store is multipart; at most 5 GiB, default 256 MiB. */
  readonly multipartThreshold: number;
  /** Bytes above which an upload is multipart, also one that copies from another store. Default: `multipartThreshold`. */
  readonly uploadThreshold?: number;
  /** Between here and the store. Absent: none. */
  readonly proxy?: Proxy;
  /** What differs from {@link DEFAULT_TRANSFER}. */
  readonly transfer?: Partial<Transfer>;
};

/** How objects that pass through a worker are cut, so that several connections share them. */
export type Transfer = {
  /** Bytes above which an object is read or sent in parts. */
  readonly threshold: number;
  /** Bytes of a part; grows with the object where that would else have more than 10,000. */
  readonly partSize: number;
  /** Parts of one object at once. */
  readonly concurrency: number;
};

/** S3 gives one connection 85 to 95 MB/s. https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance-guidelines.html */
export const DEFAULT_TRANSFER: Transfer = { threshold: 16 * 1024 ** 2, partSize: 8 * 1024 ** 2, concurrency: 12 };

/** As many parts of one upload as that are under way where nobody says otherwise: small ones, because one that breaks begins anew. One more waits in memory. */
export const PARTS_SENT_AT_ONCE = 9;

/** Bytes above which an object comes to a store in parts: copied by the store itself, or sent to it. */
export function partsAbove({ multipartThreshold, uploadThreshold }: Connection, way: "copied" | "sent"): number {
  return way === "copied" ? multipartThreshold : (uploadThreshold ?? multipartThreshold);
}
