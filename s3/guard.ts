import type { Access } from "../model/access.ts";
import { PRESIGNED_ACTIVITY } from "../model/access.ts";
import type { BoundS3 } from "./create.ts";
import type { UploadMemory } from "./interface.ts";

/** What is asked before a request goes out; each throws where it may not. */
export type Gate = {
  /** An object (`key`), a listing (`prefix`), a bucket itself, or the account. */
  readonly touch: (access: Access) => void;
  /** Pages of a listing, whatever the job's own activity is. */
  readonly list: (access: Access) => void;
  /** Whether the bucket is there. */
  readonly reach: (bucket: string) => void;
};

/** A store's view without the right to close it: it is shared. */
export type PooledS3 = BoundS3;

type Place = { readonly bucket: string; readonly key: string };

/**
 * The same store, whose every request passes the gate first. Here and not in its callers: what they work with may come from Redis, and
 * one that forgot to ask would be a way around every policy.
 */
export function guardS3(s3: PooledS3, gate: Gate): PooledS3 {
  const at = ({ bucket, key }: Place): void => gate.touch({ bucket, key });
  return {
    connection: s3.connection,
    limiter: s3.limiter,
    async *listBuckets(request, call) {
      gate.touch({});
      yield* s3.listBuckets(request, call);
    },
    async listPage(request, call) {
      gate.list({ bucket: request.bucket, prefix: request.prefix ?? "" });
      return s3.listPage(request, call);
    },
    ...guardedObjects(s3, at),
    ...guardedWrites(s3, at),
    async headBucket(bucket, call) {
      gate.reach(bucket);
      return s3.headBucket(bucket, call);
    },
    async createBucket(request, call) {
      gate.touch({ bucket: request.bucket });
      return s3.createBucket(request, call);
    },
    async deleteBucket(request, call) {
      gate.touch({ bucket: request.bucket });
      return s3.deleteBucket(request, call);
    },
    async presign(request, call) {
      const { bucket, key } = request.object;
      gate.touch({ bucket, key });
      gate.touch({ bucket, key, activity: PRESIGNED_ACTIVITY[request.method] });
      return s3.presign(request, call);
    },
    async callerIdentity(call) {
      gate.touch({});
      return s3.callerIdentity(call);
    },
  };
}

type At = (place: Place) => void;

/** What looks at objects. */
function guardedObjects(
  s3: PooledS3,
  at: At,
): Pick<PooledS3, "head" | "find" | "tags" | "protection" | "get" | "proves"> {
  return {
    async head(object, call) {
      at(object);
      return s3.head(object, call);
    },
    async find(object, call) {
      at(object);
      return s3.find(object, call);
    },
    async tags(object, call) {
      at(object);
      return s3.tags(object, call);
    },
    protection(source, ask, call) {
      at(source);
      return s3.protection(source, ask, call);
    },
    async get(request, call) {
      at(request.object);
      return s3.get(request, call);
    },
    async proves(request, call) {
      at(request);
      return s3.proves(passes(at, request.source) ? request : { ...request, sourceElsewhere: true }, call);
    },
  };
}

/** What changes objects. */
function guardedWrites(
  s3: PooledS3,
  at: At,
): Pick<PooledS3, "put" | "delete" | "deleteMany" | "copy" | "copyFrom" | "abandonUpload" | "deleteUnchanged"> {
  return {
    async put(upload, call) {
      at(upload);
      return s3.put({ ...upload, ...ownUpload(upload) }, call);
    },
    async delete(request, call) {
      at(request.object);
      return s3.delete(request, call);
    },
    async deleteMany(request, call) {
      for (const { key } of request.items) at({ bucket: request.bucket, key });
      return s3.deleteMany(request, call);
    },
    async copy(request, call) {
      at(request.source);
      at(request);
      return s3.copy({ ...request, ...ownUpload(request) }, call);
    },
    async copyFrom(from, request, call) {
      // What is read goes through `from`, which has a gate of its own.
      at(request);
      return s3.copyFrom(from, { ...request, ...ownUpload(request) }, call);
    },
    async abandonUpload(upload) {
      // Never rejects: an upload that is not the caller's is left alone.
      if (passes(at, upload)) await s3.abandonUpload(upload);
    },
    async deleteUnchanged(pin, call) {
      at(pin);
      return s3.deleteUnchanged(pin, call);
    },
  };
}

function passes(at: At, place: Place): boolean {
  try {
    at(place);
    return true;
  } catch {
    return false; // what the caller does then is its answer
  }
}

/** A remembered upload counts only where it is to become the very object that is written now. */
function ownUpload(request: Place & { readonly upload?: UploadMemory | undefined }): {
  readonly upload?: UploadMemory;
} {
  const { bucket, key, upload: memory } = request;
  if (memory === undefined) return {};
  return {
    upload: {
      ...memory,
      async load() {
        const earlier = await memory.load();
        return earlier?.bucket === bucket && earlier.key === key ? earlier : undefined;
      },
    },
  };
}
