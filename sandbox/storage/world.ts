import { Bucket, type BucketOptions } from "./bucket.ts";
import { DEFAULT_ACCOUNT, DEFAULT_CREDENTIAL, GIB, MIB } from "../options.ts";
import type { EnforcedConditions, Quirks, SandboxCredential, SandboxOptions, SandboxRole } from "../options.ts";
import type { BucketSettings, ObjectOwnership, PublicAccessBlock } from "./bucket-settings.ts";
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
  newBuckets: { ownership: ObjectOwnership; publicAccess: PublicAccessBlock | undefined };
  credentials: Map<string, SandboxCredential>;
  roles: readonly SandboxRole[] | undefined;
  maxSessionSeconds: number | undefined;
  /** Names of accounts, for ACLs and listings. */
  displayNames: Map<string, string>;
  buckets: Map<string, Bucket>;
  uploads: Map<string, MultipartUpload>;
};

export function createWorld(options: SandboxOptions): World {
  const credentials: readonly SandboxCredential[] = options.credentials ?? [DEFAULT_CREDENTIAL];
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
    newBuckets: {
      ownership: options.objectOwnership ?? "BucketOwnerEnforced",
      publicAccess: options.blockPublicAccess === false ? undefined : ALL_BLOCKED,
    },
    credentials: new Map(credentials.map((credential) => [credential.accessKeyId, credential])),
    roles: options.roles,
    maxSessionSeconds: options.sts?.maxDurationSeconds,
    displayNames: new Map(
      credentials.flatMap(({ account = DEFAULT_ACCOUNT, displayName }) =>
        displayName === undefined ? [] : [[account, displayName] as const],
      ),
    ),
    buckets: new Map(),
    uploads: new Map(),
  };
}

export function addBucket(
  world: World,
  options: Omit<BucketOptions, "region" | "account" | "quirks"> & { region?: string; account?: string },
): Bucket {
  const account = options.account ?? world.credentials.values().next().value?.account ?? DEFAULT_ACCOUNT;
  const settings = { ...newSettings(world), ...options.settings };
  const bucket = new Bucket({
    ...options,
    region: options.region ?? world.region,
    account,
    quirks: world.quirks,
    settings,
  });
  world.buckets.set(bucket.name, bucket);
  return bucket;
}

/** What a new bucket has on AWS since April 2023: no ACLs, and nothing public. */
function newSettings({ newBuckets: { ownership, publicAccess } }: World): BucketSettings {
  return publicAccess === undefined ? { ownership } : { ownership, publicAccess };
}

/** Block Public Access, all of it. */
export const ALL_BLOCKED: PublicAccessBlock = {
  blockPublicAcls: true,
  ignorePublicAcls: true,
  blockPublicPolicy: true,
  restrictPublicBuckets: true,
};

/** Puts other quirks in the place of those that were. */
export function changeQuirks(world: World, quirks: Quirks): void {
  // The names are those of this very record.
  for (const name of Object.keys(world.quirks)) delete world.quirks[name as keyof Quirks];
  Object.assign(world.quirks, quirks);
}

function enforcedConditions(enforce: boolean | EnforcedConditions): Required<EnforcedConditions> {
  const all = enforce !== false;
  const deletes = { delete: all, multiDelete: all, deleteDates: all };
  const defaults = { read: all, write: all, copySource: all, copy: all, ...deletes };
  return typeof enforce === "boolean" ? defaults : { ...defaults, ...enforce };
}
