import { type Connection, DEFAULT_TRANSFER, PARTS_SENT_AT_ONCE, type Transfer } from "../credentials/connection.ts";
import { createMemoryBudget, type MemoryBudget } from "./parts/memory-budget.ts";
import { createClients } from "./transport/clients.ts";
import { createCredentialCache } from "./transport/credential-cache.ts";
import { type BodyReader, createBodyReader } from "./transport/bodies/reader.ts";
import { createFastPath, type FastPath } from "./transport/fast-path.ts";
import { createRegionCache } from "./transport/region-cache.ts";
import { type S3Options, type StoreBase, withDefaults } from "./options.ts";
import { createKnownKeys, type CustomerKeys } from "./requests/customer-key.ts";
import { createLessons, type Lessons } from "./lessons.ts";
import type { RequestTerms } from "./terms.ts";
import { type BucketAnswers, createBucketAnswers } from "./transport/bucket-answers.ts";
import { createSeenBuckets, type SeenBuckets } from "./transport/seen-buckets.ts";

export type { RequestEvent, S3Options } from "./options.ts";

/** What every operation of one connection shares. */
export type Store = StoreBase & {
  /** How large objects are cut that come from it. */
  readonly transfer: Transfer;
  /** And those that go to it. */
  readonly sending: Pick<Transfer, "partSize" | "concurrency">;
  /** The memory of all downloads. */
  readonly downloads: MemoryBudget;
  /** The memory of all uploads. */
  readonly uploads: MemoryBudget;
  /** Absent where the profile or its options rule it out. */
  readonly fast: FastPath | undefined;
  /** As above, for the parts of large objects. */
  readonly bodies: BodyReader | undefined;
  /** The requester pays for what is asked for here. */
  readonly requesterPays: boolean;
  /** The customer's keys that this view of the store reads and writes with. */
  readonly customerKeys: CustomerKeys;
  /** Buckets that answered lately: a 404 there is about the object. */
  readonly seenBuckets: SeenBuckets;
  /** Buckets where a version that was asked for by name was answered by that name lately. */
  readonly namesVersions: SeenBuckets;
  /** Buckets with versioning on, a moment ago. */
  readonly keepsVersions: SeenBuckets;
  /** Whether objects of a bucket may have access lists of their own, and locks. */
  readonly acls: BucketAnswers;
  readonly locks: BucketAnswers;
  /** What was learned of this store while working with it. */
  readonly learned: Lessons;
};

export function createStore(connection: Connection, options: S3Options): Store {
  const settings = withDefaults(options);
  const credentials = createCredentialCache(connection.credentials);
  const regions = createRegionCache();
  const clients = createClients(connection, credentials, settings);
  const name = connection.endpoint ?? `AWS in ${connection.region}`;
  const requesterPays = connection.requesterPays ?? false;
  const parts = { connection, settings, credentials, regions, clients, name };
  return {
    ...parts,
    fast: settings.fastPath ? paidBy(createFastPath(parts), requesterPays) : undefined,
    bodies: settings.fastPath ? createBodyReader(parts) : undefined,
    requesterPays,
    customerKeys: {},
    transfer: {
      ...DEFAULT_TRANSFER,
      partSize: Math.max(DEFAULT_TRANSFER.partSize, settings.uploadPartSize),
      ...connection.transfer,
    },
    sending: { partSize: settings.uploadPartSize, concurrency: PARTS_SENT_AT_ONCE, ...connection.transfer },
    downloads: createMemoryBudget(settings.downloadBuffer),
    uploads: createMemoryBudget(settings.uploadsBuffer),
    seenBuckets: createSeenBuckets(),
    namesVersions: createSeenBuckets(),
    keepsVersions: createSeenBuckets(),
    acls: createBucketAnswers(),
    locks: createBucketAnswers(),
    learned: createLessons((lesson) => settings.onLesson?.(connection, lesson)),
  };
}

/** The same store, sockets and lessons included, as one job asks of it. */
export function viewOf(store: Store, terms: RequestTerms): Store {
  const { requesterPays = store.requesterPays, customerKeys = {}, onSent = store.onSent } = terms;
  const paid = store.fast && requesterPays && !store.requesterPays ? paidBy(store.fast, true) : store.fast;
  const fast = paid && onSent && toldOf(paid, onSent);
  const known = (customerKeys.read ?? customerKeys.write) ? createKnownKeys() : undefined;
  const told = { fast: fast ?? paid, ...(onSent !== undefined && { onSent }) };
  return { ...store, ...told, requesterPays, customerKeys: { ...customerKeys, ...(known !== undefined && { known }) } };
}

function toldOf(fast: FastPath, onSent: NonNullable<StoreBase["onSent"]>): FastPath {
  return { ...fast, send: (request, call) => fast.send({ ...request, onSent }, call) };
}

function paidBy(fast: FastPath, requesterPays: boolean): FastPath {
  if (!requesterPays) return fast;
  return {
    ...fast,
    send: (request, call) =>
      fast.send({ ...request, headers: { ...request.headers, "x-amz-request-payer": "requester" } }, call),
  };
}
