import { Bucket, type BucketOptions } from "./bucket.ts";
import type { Call } from "../http/call.ts";
import { header } from "../http/call.ts";
import { DEFAULT_ACCOUNT, DEFAULT_CREDENTIAL, GIB, MIB } from "../options.ts";
import type { EnforcedConditions, Quirks, SandboxCredential, SandboxOptions, SandboxRole } from "../options.ts";
import { S3Error } from "../http/s3-error.ts";
import type { MultipartUpload } from "./multipart-upload.ts";

/** Everything the server knows: its settings, the credentials it accepts, its buckets and open uploads. */
export type World = {
  region: string;
  enforce: Required<EnforcedConditions>;
  /** One value for the server's life, shared with its buckets: `changeQuirks` changes it in place. */
  quirks: Quirks;
  limits: { minPartSize: number; maxPartCount: number; maxCopySize: number; maxDeleteKeys: number };
  verifySignatures: boolean;
  wrongRegion: "redirect" | "malformed";
  credentials: Map<string, SandboxCredential>;
  roles: readonly SandboxRole[] | undefined;
  maxSessionSeconds: number | undefined;
  buckets: Map<string, Bucket>;
  uploads: Map<string, MultipartUpload>;
};

export function createWorld(options: SandboxOptions): World {
  const credentials = options.credentials ?? [DEFAULT_CREDENTIAL];
  const enforce = options.enforceConditions ?? true;
  return {
    region: options.region ?? "us-east-1",
    enforce: enforcedConditions(enforce),
    quirks: { ...options.quirks },
    limits: {
      minPartSize: options.minPartSize ?? 5 * MIB,
      maxPartCount: options.maxPartCount ?? 10_000,
      maxCopySize: options.maxCopySize ?? 5 * GIB,
      maxDeleteKeys: options.maxDeleteKeys ?? 1000,
    },
    verifySignatures: options.verifySignatures ?? true,
    wrongRegion: options.wrongRegion ?? "redirect",
    credentials: new Map(credentials.map((credential) => [credential.accessKeyId, credential])),
    roles: options.roles,
    maxSessionSeconds: options.sts?.maxDurationSeconds,
    buckets: new Map(),
    uploads: new Map(),
  };
}

export function addBucket(
  world: World,
  options: Omit<BucketOptions, "region" | "account" | "quirks"> & { region?: string; account?: string },
): Bucket {
  const account = options.account ?? world.credentials.values().next().value?.account ?? DEFAULT_ACCOUNT;
  const bucket = new Bucket({ ...options, region: options.region ?? world.region, account, quirks: world.quirks });
  world.buckets.set(bucket.name, bucket);
  return bucket;
}

/** Puts other quirks in the place of those that were. */
export function changeQuirks(world: World, quirks: Quirks): void {
  // The names are those of this very record.
  for (const name of Object.keys(world.quirks)) delete world.quirks[name as keyof Quirks];
  Object.assign(world.quirks, quirks);
}

/**
 * The bucket a call may work on.
 *
 * @throws S3Error NoSuchBucket, AccessDenied (another account's, or not the expected owner's), PermanentRedirect (another region's)
 */
export function openBucket(world: World, call: Call): Bucket {
  const bucket = findBucket(world, call.bucket);
  checkOwner(bucket, call, header(call, "x-amz-expected-bucket-owner"));
  if (call.region !== "" && call.region !== bucket.region) throw wrongRegion(world, bucket, call);
  return bucket;
}

export function findBucket(world: World, name: string): Bucket {
  const bucket = world.buckets.get(name);
  if (bucket === undefined) {
    throw new S3Error("NoSuchBucket", "The specified bucket does not exist", { elements: { BucketName: name } });
  }
  return bucket;
}

/** Refuses callers of other accounts, and calls that expect another owner. */
export function checkOwner(bucket: Bucket, call: Call, expectedOwner: string | undefined): void {
  const allowed = call.account === bucket.account || bucket.sharedWith.includes(call.account);
  if (!allowed || (expectedOwner !== undefined && expectedOwner !== bucket.account)) {
    throw new S3Error("AccessDenied", "Access Denied");
  }
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html
function wrongRegion(world: World, bucket: Bucket, call: Call): S3Error {
  const headers = { "x-amz-bucket-region": bucket.region };
  if (world.wrongRegion === "malformed") {
    return new S3Error(
      "AuthorizationHeaderMalformed",
      `The authorization header is malformed; the region '${call.region}' is wrong; expecting '${bucket.region}'`,
      { elements: { Region: bucket.region }, headers },
    );
  }
  return new S3Error(
    "PermanentRedirect",
    "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
    { elements: { Endpoint: header(call, "host") ?? "", Bucket: bucket.name }, headers },
  );
}

function enforcedConditions(enforce: boolean | EnforcedConditions): Required<EnforcedConditions> {
  const all = enforce !== false;
  const defaults = { read: all, write: all, copySource: all, copy: all, delete: all, multiDelete: all };
  return typeof enforce === "boolean" ? defaults : { ...defaults, ...enforce };
}
