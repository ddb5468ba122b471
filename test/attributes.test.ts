import { S3Client } from "@aws-sdk/client-s3";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Sandbox } from "../sandbox/index.ts";
import { type Can, type Ends, generatedObjects, throughEveryWay } from "./conformance/attribute-ways.ts";
import { call, openS3 } from "./open-s3.ts";

const kmsKey = "arn:aws:kms:us-east-1:000000000000:key/odd";
const can: Can = {
  storageClasses: ["STANDARD_IA", "INTELLIGENT_TIERING"],
  encryptions: [
    { type: "AES256" },
    { type: "aws:kms" },
    { type: "aws:kms", keyId: kmsKey, bucketKey: true },
    { type: "aws:kms:dsse", keyId: kmsKey },
  ],
  acls: ["private", "public-read", "authenticated-read", "bucket-owner-full-control"],
  lockModes: ["GOVERNANCE", "COMPLIANCE"],
  customerKeys: true,
};

function plainClient({ endpoint, region, credentials }: Sandbox): S3Client {
  return new S3Client({ endpoint, region, credentials, forcePathStyle: true });
}

/** As on AWS, and as on stores that drop tags when headers are replaced; `npm run attributes:ceph` does the same on Ceph's gateway. */
test.each([{}, { tagsDroppedOnReplace: true, unquotedCopyEtags: true, noChecksums: true }])(
  "generated objects keep every attribute through every way (quirks: %o)",
  { timeout: 120_000 },
  async (quirks) => {
    const sandbox = { minPartSize: 1, quirks, objectOwnership: "ObjectWriter", blockPublicAccess: false } as const;
    const [here, there] = [await openS3({ sandbox }), await openS3({ sandbox })];
    for (const end of [here, there]) end.sandbox.createBucket("locked", { objectLock: true });
    const ends: Ends = {
      whole: here.s3,
      parts: here.connect({ multipartThreshold: 1, uploadThreshold: 1 }),
      other: there.s3,
      look: plainClient(here.sandbox),
      lookThere: plainClient(there.sandbox),
      isOneStore: false,
      bucket: "in",
      lockedBucket: "locked",
      can,
    };
    let count = 0;
    const property = fc.asyncProperty(generatedObjects(can), async (generated) => {
      count += 1;
      expect(await throughEveryWay(ends, `${count}/`, generated)).toEqual([]);
    });
    await fc.assert(property, { numRuns: 15 });
    ends.look.destroy();
    ends.lookThere.destroy();
    expect(count).toBeGreaterThanOrEqual(15);
  },
);

/** What nobody may say and buckets hold nevertheless. */
test.each([
  ["an empty type", { contentType: "" }],
  ["a type of 3,000 characters", { contentType: "x".repeat(3000) }],
  ["a type whose last byte looks like a space", { contentType: "𛇠" }],
  ["a disposition with a space that may not break", { headers: { "content-disposition": '"\u00a0ä€🙂"' } }],
])("an object with %s keeps it through every copy", async (_, put) => {
  const [here, there] = [await openS3({ sandbox: { minPartSize: 1 } }), await openS3({ sandbox: { minPartSize: 1 } })];
  const { sandbox, s3, pin } = here;
  sandbox.put("in", "a", "content", put);
  const expected = sandbox.object("in", "a");
  const source = pin("in", "a");
  await s3.copy({ source, bucket: "out", key: "copied" }, call);
  await s3.copy({ source, bucket: "out", key: "replaced", overrides: { metadata: {} } }, call);
  await here.connect({ multipartThreshold: 1 }).copy({ source, bucket: "out", key: "in-parts" }, call);
  await there.s3.copyFrom(s3, { source, bucket: "out", key: "across" }, call);
  const parts = there.connect({ multipartThreshold: 1, uploadThreshold: 1 });
  await parts.copyFrom(s3, { source, bucket: "out", key: "across-in-parts" }, call);
  const { contentType, headers } = expected ?? {};
  for (const key of ["copied", "replaced", "in-parts"])
    expect(sandbox.object("out", key)).toMatchObject({ contentType, headers });
  for (const key of ["across", "across-in-parts"])
    expect(there.sandbox.object("out", key)).toMatchObject({ contentType, headers });
});
