/** A key pair the sandbox accepts. */
export type SandboxCredential = {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  /** The twelve-digit account it belongs to. Default `"000000000000"`. */
  account?: string;
  /** Milliseconds since 1970 from which on the sandbox answers ExpiredToken. */
  expiresAt?: number;
  /** The ARN that GetCallerIdentity reports. */
  arn?: string;
  /** The owner's name in ACLs and listings, which AWS leaves out by now. Default: none. */
  displayName?: string;
  /** The address under which ACLs may grant to it. Default: none. */
  email?: string;
};

/** A role that AssumeRole and AssumeRoleWithWebIdentity may take. */
export type SandboxRole = {
  arn: string;
  /** Refuse callers that do not name it. */
  externalId?: string;
  /** The only web identity token accepted. Default: any. */
  webIdentityToken?: string;
};

/** Which conditional headers are enforced. What is set to false is ignored silently, as many S3-compatible servers do. */
export type EnforcedConditions = {
  /** If-Match, If-None-Match, If-(Un)Modified-Since of GetObject and HeadObject. */
  read?: boolean;
  /** If-Match, If-None-Match of PutObject and CompleteMultipartUpload. */
  write?: boolean;
  /** x-amz-copy-source-if-* of CopyObject and UploadPartCopy. */
  copySource?: boolean;
  /** If-Match, If-None-Match of CopyObject, on the destination. */
  copy?: boolean;
  /** If-Match of DeleteObject. */
  delete?: boolean;
  /** The ETag of each key in DeleteObjects. */
  multiDelete?: boolean;
  /** Date and size in DeleteObject and DeleteObjects, as in AWS' directory buckets. False: as elsewhere at AWS, where DeleteObject answers 501 to them. */
  deleteDates?: boolean;
};

/** Names that a store takes for one: `case` (`A` and `a`; the first spelling is kept), `slashes` (`x//y` is kept as `x/y`), `unicode` (kept in NFC). */
export type KeyFolding = "case" | "slashes" | "unicode";

/** How other S3-compatible servers differ from AWS. All off by default. Conditions that a server ignores: `enforceConditions`. */
export type Quirks = {
  /** DeleteObjects deletes nothing and answers 501, 405, or, to a request without Content-MD5, 400. */
  deleteObjects?: "NotImplemented" | "MethodNotAllowed" | "MissingContentMD5";
  /** PutObject, UploadPart and DeleteObjects without Content-MD5 are refused with 400 MissingContentMD5, whatever checksum they carry. */
  contentMd5Required?: boolean;
  /** HEAD answers carry no ETag. */
  noHeadEtags?: boolean;
  /** Every object that is written has the same ETag. */
  constantEtags?: boolean;
  /** `versionId` is ignored: reads, copies and deletes mean the current version. */
  ignoredVersionIds?: boolean;
  /** Range is ignored: GetObject answers 200 with the whole object. `x-amz-copy-source-range` too. */
  ignoredRanges?: boolean;
  /** Keys that are different names for AWS name one object here. Objects made by `generate` keep their keys as they are. */
  foldedKeys?: readonly KeyFolding[];
  /** CopyObject with `x-amz-metadata-directive: REPLACE` drops the tags, as Ceph's gateway does. */
  tagsDroppedOnReplace?: boolean;
  /** What is not there is answered by a proxy: a web page with status 404, without x-amz-request-id. */
  proxyNotFound?: boolean;
  /** Copy answers carry ETags without quotes, as Ceph's gateway sends them. */
  unquotedCopyEtags?: boolean;
  /** `encoding-type=url` is ignored. */
  noUrlEncoding?: boolean;
  /** Listings leave BucketRegion, checksums and owner out, and HEAD answers carry no checksums. */
  noChecksums?: boolean;
};

/**
 * What may be set of a sandbox.
 *
 * @example
 * import { startSandbox, type SandboxOptions } from "bucketline/sandbox";
 *
 * const options: SandboxOptions = { region: "eu-central-1", logSize: 100 };
 * await using sandbox = await startSandbox(options);
 * console.log(sandbox.region);
 */
export type SandboxOptions = {
  /** Default 0: a free port. */
  port?: number;
  /** Default `"127.0.0.1"`. */
  host?: string;
  /** The region of new buckets. Default `"us-east-1"`. */
  region?: string;
  /** Default: one pair, `sandbox` / `sandbox-secret`. */
  credentials?: readonly SandboxCredential[];
  /** Milliseconds added to every answer. Default 0. */
  latencyMs?: number;
  /** Default true: all of them. */
  enforceConditions?: boolean | EnforcedConditions;
  /** The least size of a part but the last, in bytes. Default 5 MiB, as on AWS. */
  minPartSize?: number;
  /** The most parts of an upload. Default 10,000, as on AWS. */
  maxPartCount?: number;
  /** The largest object one CopyObject or PutObject takes, in bytes. Default 5 GiB, as on AWS. */
  maxCopySize?: number;
  /** The most keys of one DeleteObjects. Default 1,000, as on AWS. */
  maxDeleteKeys?: number;
  /** False skips signatures, for benchmarks. Default true. */
  verifySignatures?: boolean;
  /** What a request signed for another region than its bucket's gets: 301 PermanentRedirect or 400 AuthorizationHeaderMalformed. Default `"redirect"`. */
  wrongRegion?: "redirect" | "malformed";
  /** Of new buckets that do not say it. Default `"BucketOwnerEnforced"`: ACLs are refused, as on AWS. */
  objectOwnership?: "BucketOwnerEnforced" | "BucketOwnerPreferred" | "ObjectWriter";
  /** Whether new buckets block public access by ACLs and policies. Default true, as on AWS. */
  blockPublicAccess?: boolean;
  /** Entries the operation log keeps; counts go on beyond. Default 10,000; 0 turns it off. */
  logSize?: number;
  /** Roles of the token service. Default: every well-formed ARN is accepted. */
  roles?: readonly SandboxRole[];
  sts?: {
    /** Issued credentials expire after at most this many seconds, whatever was asked. */
    maxDurationSeconds?: number;
  };
  quirks?: Quirks;
};

export const DEFAULT_ACCOUNT = "000000000000";
export const DEFAULT_CREDENTIAL = { accessKeyId: "sandbox", secretAccessKey: "sandbox-secret" };
export const MIB = 1024 * 1024;
export const GIB = 1024 * MIB;
