// Generated objects through every way of copying, on any store:  node test/conformance/attributes.ts --endpoint URL --region R --access-key K --secret-key S
// On Ceph's gateway: npm run attributes:ceph. Buckets are made and removed; a failure prints the object and the seed that makes it again.
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import fc from "fast-check";
import { createS3 } from "../../s3/create.ts";
import { removeScratch } from "../../s3/probe/scratch-objects.ts";
import { objectAttributes, throughEveryWay } from "./attribute-ways.ts";

const { values } = parseArgs({
  options: {
    endpoint: { type: "string" },
    region: { type: "string", default: "us-east-1" },
    "access-key": { type: "string" },
    "secret-key": { type: "string" },
    "storage-class": { type: "string", multiple: true, default: [] },
    runs: { type: "string", default: "200" },
    seed: { type: "string" },
  },
});
const { endpoint, region, "storage-class": storageClasses } = values;
if (endpoint === undefined) throw new Error("expected --endpoint");
const identity = { accessKeyId: values["access-key"] ?? "", secretAccessKey: values["secret-key"] ?? "" };
const connection = (name: string) =>
  ({
    name,
    credentials: () => Promise.resolve(identity),
    region,
    endpoint,
    pathStyle: true,
    checksums: "when-required",
    conditionalDelete: false,
    conditionalCopy: false,
    conditionalWrite: false,
    multipartThreshold: 256 * 1024 ** 2,
  }) as const;
const whole = createS3(connection("whole"));
const parts = createS3({ ...connection("parts"), multipartThreshold: 1, uploadThreshold: 1 });
const other = createS3(connection("other"));
const bucket = `bucketline-attributes-${randomBytes(4).toString("hex")}`;
const call = { signal: new AbortController().signal };
let count = 0;
let refused = 0;
try {
  await whole.createBucket({ bucket }, call);
  const property = fc.asyncProperty(objectAttributes(storageClasses), async (said) => {
    count += 1;
    const end = await throughEveryWay({ whole, parts, other, bucket, storageClasses }, `${count}/`, said);
    if (end === "refused") refused += 1;
  });
  const seed = values.seed === undefined ? {} : { seed: Number(values.seed) };
  await fc.assert(property, { numRuns: Number(values.runs), ...seed });
  const kept = count - refused;
  console.log(
    `${kept} objects, each uploaded twice, copied, copied in parts, sent across and changed in place: all alike`,
  );
  if (refused > 0) console.log(`${refused} more that the store refused to take`);
} finally {
  await removeScratch(connection("whole"), { bucket, prefix: "" }, call);
  await whole.deleteBucket({ bucket }, call);
  await Promise.all([whole.close(), parts.close(), other.close()]);
}
