import type { Connection } from "../credentials/connection.ts";
import { type AdaptiveLimiter, createAdaptiveLimiter } from "./transport/adaptive-limiter.ts";
import { createBucket, deleteBucket, headBucket, listBuckets } from "./requests/buckets.ts";
import { callerIdentity } from "./requests/caller-identity.ts";
import { copy } from "./requests/copy.ts";
import { deleteMany } from "./requests/delete-many.ts";
import { deleteObject, deleteUnchanged } from "./requests/delete.ts";
import { get } from "./requests/get.ts";
import { find, head } from "./requests/head.ts";
import type { Lesson } from "./lessons.ts";
import { listPage } from "./requests/listings/page.ts";
import { removeUpload } from "./parts/open-upload.ts";
import { presign } from "./requests/presign.ts";
import { put } from "./requests/put.ts";
import type { S3 } from "./interface.ts";
import { createStore, type S3Options, type Store, viewOf } from "./store.ts";
import type { RequestTerms } from "./terms.ts";
import { copyFrom } from "./parts/stream-copy.ts";
import { tags } from "./requests/tags.ts";
import { copyProtected, isUnprotected, protectionOf } from "./proof/protection.ts";
import { proves } from "./proof/verify.ts";

export type { RequestEvent, S3Options } from "./store.ts";

/** An {@link S3} that knows how much its store bears. */
export type BoundS3 = S3 & {
  /** Slows down per bucket and first prefix where the store says so. For batches and jobs to share: no call uses it by itself. */
  readonly limiter: AdaptiveLimiter;
};

/** A store with its sockets; close it when the last job is done with it. */
export type OpenS3 = BoundS3 & {
  /** The same store as a job asks of it: who pays, and the customer's keys. Closes with it. */
  readonly under: (terms: RequestTerms) => BoundS3;
  /** What the store turned out to lack so far. */
  readonly lessons: () => readonly Lesson[];
  /** Ends every connection; what still runs fails as a retryable NetworkError. */
  readonly close: () => Promise<void>;
};

/** Opens one profile's view of its store. Connects lazily; nothing is checked before the first call. */
export function createS3(connection: Connection, options: S3Options = {}): OpenS3 {
  return openStore(createStore(connection, options));
}

/** All that can be asked of a store. */
export function openStore(store: Store): OpenS3 {
  const limiter = createAdaptiveLimiter({ max: store.settings.maxSockets });
  return {
    ...requestsOf(store, limiter),
    lessons: store.learned.all,
    under: (terms) => requestsOf(viewOf(store, terms), limiter),
    async close() {
      await store.fast?.close();
      store.bodies?.close();
      store.clients.close();
    },
  };
}

function requestsOf(store: Store, limiter: AdaptiveLimiter): BoundS3 {
  const bound: BoundS3 = {
    connection: store.connection,
    limiter,
    listBuckets: (request, call) => listBuckets(store, request, call),
    listPage: (request, call) => listPage(store, request, call),
    head: (object, call) => head(store, object, call),
    find: (object, call) => find(store, object, call),
    tags: (object, call) => tags(store, object, call),
    protection: (source, ask, call) =>
      isUnprotected(store, source, ask) ? undefined : protectionOf(store, source, ask, call),
    get: (request, call) => get(store, request, call),
    put: (upload, call) => put(store, upload, call),
    delete: (request, call) => deleteObject(store, request, call),
    deleteMany: (request, call) => deleteMany(store, request, call),
    copy: (request, call) => copyProtected({ store, from: bound }, request, call, (asked) => copy(store, asked, call)),
    copyFrom: (from, request, call) =>
      copyProtected({ store, from }, request, call, (asked) => copyFrom(store, from, asked, call)),
    abandonUpload: ({ bucket, key, uploadId }) => removeUpload(store, { bucket, key }, uploadId),
    proves: (request, call) => proves(store, request, call),
    deleteUnchanged: (pin, call) => deleteUnchanged(store, pin, call),
    headBucket: (bucket, call) => headBucket(store, bucket, call),
    createBucket: (request, call) => createBucket(store, request, call),
    deleteBucket: (request, call) => deleteBucket(store, request, call),
    presign: (request, call) => presign(store, request, call),
    callerIdentity: (call) => callerIdentity(store, call),
  };
  return bound;
}
