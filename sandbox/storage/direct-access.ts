import type { Bucket } from "./bucket.ts";
import { liveKeys, newObject, readBytes, viewObject, viewUpload } from "./object-view.ts";
import type { CreateBucketOptions, DirectAccess } from "../interface.ts";
import { addBucket, ALL_BLOCKED, type World } from "./world.ts";

/** What tests arrange and look up without HTTP. */
export function directAccess(world: World): DirectAccess {
  const open = (name: string): Bucket => {
    const bucket = world.buckets.get(name);
    if (bucket !== undefined) return bucket;
    throw new Error(`the sandbox has no bucket ${JSON.stringify(name)}; create it with sandbox.createBucket`);
  };
  const find = (bucket: string, key: string, versionId?: string) =>
    versionId === undefined ? open(bucket).current(key) : open(bucket).version(key, versionId);

  return {
    createBucket: (name, options = {}) => {
      if (world.buckets.has(name)) throw new Error(`the sandbox has a bucket ${JSON.stringify(name)} already`);
      makeBucket(world, name, options);
    },
    put: (bucket, key, body, options = {}) => {
      const { etag, versionId } = open(bucket).put(newObject(key, body, options));
      return versionId === undefined ? { etag } : { etag, versionId };
    },
    delete: (bucket, key) => {
      const existed = open(bucket).current(key) !== undefined;
      if (existed) open(bucket).delete(key);
      return existed;
    },
    bytes: (bucket, key, versionId) => readBytes(find(bucket, key, versionId)),
    text: (bucket, key, versionId) => readBytes(find(bucket, key, versionId))?.toString("utf8"),
    object: (bucket, key, versionId) => {
      const object = find(bucket, key, versionId);
      return object && viewObject(object);
    },
    versions: (bucket, key) => open(bucket).versions(key).map(viewObject),
    keys: (bucket) => liveKeys(open(bucket)),
    count: (bucket) => open(bucket).count,
    buckets: () => [...world.buckets.keys()].toSorted(),
    uploads: (bucket) =>
      [...world.uploads.values()].filter((one) => bucket === undefined || one.bucket === bucket).map(viewUpload),
    generate: (bucket, options) => open(bucket).generate(options),
    addCredentials: (credential) => void world.credentials.set(credential.accessKeyId, credential),
    expireCredentials: (accessKeyId) => {
      const credential = world.credentials.get(accessKeyId);
      if (credential === undefined) throw new Error(`the sandbox knows no access key ${accessKeyId}`);
      world.credentials.set(accessKeyId, { ...credential, expiresAt: 0 });
    },
  };
}

function makeBucket(world: World, name: string, options: CreateBucketOptions): void {
  const { versioning, objectLock = false, ownership, blockPublicAccess, requesterPays, ...rest } = options;
  const status = versioning === "suspended" ? "Suspended" : versioning || objectLock !== false ? "Enabled" : undefined;
  const { settings } = addBucket(world, { name, ...rest, versioning: status });
  if (objectLock !== false) settings.lock = objectLock === true ? {} : { retention: objectLock };
  if (requesterPays !== undefined) settings.requesterPays = requesterPays;
  if (ownership !== undefined) settings.ownership = ownership;
  if (blockPublicAccess === false) delete settings.publicAccess;
  else if (blockPublicAccess === true) settings.publicAccess = ALL_BLOCKED;
}
