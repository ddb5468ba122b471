// Generated objects through every way of copying, on any store:  node test/conformance/attributes.ts --endpoint URL --region R --access-key K --secret-key S
// On Ceph's gateway: npm run attributes:ceph. Buckets are made and removed; a failure prints the object and the seed that makes it again.
// What a store has beside headers, metadata and tags is said: --storage-class, --kms-key, --sse-s3, --customer-keys, --acls, --locks.
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import fc from "fast-check";
import type { Encryption } from "../../model/object-attributes.ts";
import { createS3 } from "../../s3/create.ts";
import { removeScratch } from "../../s3/probe/scratch-objects.ts";
import { type Can, type Ends, generatedObjects, throughEveryWay } from "./attribute-ways.ts";
import { carefulConnection } from "./careful-connection.ts";
import { releaseLocks } from "./release-locks.ts";

const { values } = parseArgs({
  options: {
    endpoint: { type: "string" },
    region: { type: "string", default: "us-east-1" },
    "access-key": { type: "string" },
    "secret-key": { type: "string" },
    "storage-class": { type: "string", multiple: true, default: [] },
    "kms-key": { type: "string" },
    "sse-s3": { type: "boolean", default: false },
    "customer-keys": { type: "boolean", default: false },
    acls: { type: "boolean", default: false },
    locks: { type: "boolean", default: false },
    runs: { type: "string", default: "200" },
    seed: { type: "string" },
  },
});
const { endpoint, region, "storage-class": storageClasses } = values;
if (endpoint === undefined) throw new Error("expected --endpoint");
const identity = { accessKeyId: values["access-key"] ?? "", secretAccessKey: values["secret-key"] ?? "" };
const connection = (name: string) => carefulConnection({ name, region, endpoint }, identity);
const whole = createS3(connection("whole"));
const parts = createS3({ ...connection("parts"), multipartThreshold: 1, uploadThreshold: 1 });
const other = createS3(connection("other"));
const look = new S3Client({ endpoint, region, credentials: identity, forcePathStyle: true });
const keyId = values["kms-key"];
const encryptions: Encryption[] = [
  ...(values["sse-s3"] ? [{ type: "AES256" } as const] : []),
  ...(keyId === undefined ? [] : [{ type: "aws:kms", keyId } as const]),
];
const can: Can = {
  storageClasses,
  encryptions,
  acls: values.acls ? ["private", "public-read", "authenticated-read", "bucket-owner-full-control"] : [],
  // Whatever COMPLIANCE locks, nobody could remove again.
  lockModes: values.locks ? ["GOVERNANCE"] : [],
  customerKeys: values["customer-keys"],
};
const bucket = `bucketline-attributes-${randomBytes(4).toString("hex")}`;
const lockedBucket = `${bucket}-locked`;
const ends: Ends = { whole, parts, other, look, lookThere: look, isOneStore: true, bucket, lockedBucket, can };
const call = { signal: new AbortController().signal };
let count = 0;
const refusals = new Map<string, number>();
try {
  await whole.createBucket({ bucket }, call);
  if (values.locks)
    await look.send(new CreateBucketCommand({ Bucket: lockedBucket, ObjectLockEnabledForBucket: true }));
  const property = fc.asyncProperty(generatedObjects(can), async (generated) => {
    count += 1;
    for (const refusal of await throughEveryWay(ends, `${count}/`, generated))
      refusals.set(refusal, (refusals.get(refusal) ?? 0) + 1);
  });
  const seed = values.seed === undefined ? {} : { seed: Number(values.seed) };
  await fc.assert(property, { numRuns: Number(values.runs), ...seed });
  console.log(
    `${count} objects, each uploaded twice, copied, copied in parts, sent across and changed in place: all alike`,
  );
  for (const [refusal, times] of refusals) console.log(`  the store refused ${refusal} (${times} times)`);
} finally {
  await releaseLocks(look, values.locks ? lockedBucket : undefined);
  for (const name of values.locks ? [bucket, lockedBucket] : [bucket]) {
    await removeScratch(connection("whole"), { bucket: name, prefix: "" }, call);
    await whole.deleteBucket({ bucket: name }, call);
  }
  look.destroy();
  await Promise.all([whole.close(), parts.close(), other.close()]);
}
