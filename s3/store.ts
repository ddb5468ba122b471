import { type Connection, DEFAULT_TRANSFER, type Transfer } from "../credentials/connection.ts";
import { createMemoryBudget, type MemoryBudget } from "./parts/memory-budget.ts";
import { createClients } from "./transport/clients.ts";
import { createCredentialCache } from "./transport/credential-cache.ts";
import { createFastPath, type FastPath } from "./transport/fast-path.ts";
import { createRegionCache } from "./transport/region-cache.ts";
import { type S3Options, type StoreBase, withDefaults } from "./options.ts";
import { createSeenBuckets, type SeenBuckets } from "./transport/seen-buckets.ts";

export type { RequestEvent, S3Options } from "./options.ts";

/** What every operation of one connection shares. */
export type Store = StoreBase & {
  /** How large objects are cut. */
  readonly transfer: Transfer;
  /** The memory of all downloads. */
  readonly downloads: MemoryBudget;
  /** The memory of all uploads. */
  readonly uploads: MemoryBudget;
  /** Absent where the profile or its options rule it out. */
  readonly fast: FastPath | undefined;
  /** Buckets that answered lately: a 404 there is about the object. */
  readonly seenBuckets: SeenBuckets;
  /** Buckets where a version that was asked for by name was answered by that name lately. */
  readonly namesVersions: SeenBuckets;
  /** Buckets with versioning on, a moment ago. */
  readonly keepsVersions: SeenBuckets;
  /** What was learned of this store while working with it. */
  readonly learned: {
    bareIfMatch: boolean;
    /** A bucket of it takes no upload without a digest, as those with Object Lock do. */
    digestsWanted: boolean;
    /** Bulk deletes: as AWS takes them, only with Content-MD5, or not at all. */
    bulkDelete: "checksum" | "md5" | "missing";
  };
};

export function createStore(connection: Connection, options: S3Options): Store {
  const settings = withDefaults(options);
  const credentials = createCredentialCache(connection.credentials);
  const regions = createRegionCache();
  const clients = createClients(connection, credentials, settings);
  const name = connection.endpoint ?? `AWS in ${connection.region}`;
  const parts = { connection, settings, credentials, regions, clients, name };
  return {
    ...parts,
    fast: settings.fastPath ? createFastPath(parts) : undefined,
    transfer: { ...DEFAULT_TRANSFER, partSize: settings.uploadPartSize, ...connection.transfer },
    downloads: createMemoryBudget(settings.downloadBuffer),
    uploads: createMemoryBudget(settings.uploadsBuffer),
    seenBuckets: createSeenBuckets(),
    namesVersions: createSeenBuckets(),
    keepsVersions: createSeenBuckets(),
    learned: { bareIfMatch: false, digestsWanted: false, bulkDelete: "checksum" },
  };
}
