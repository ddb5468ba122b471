import {
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutObjectLegalHoldCommand,
  type S3Client,
} from "@aws-sdk/client-s3";

/** Lifts the holds of a bucket's versions, and removes those that governance keeps, so that the bucket can go. Nothing for no bucket. */
export async function releaseLocks(client: S3Client, Bucket: string | undefined): Promise<void> {
  if (Bucket === undefined) return;
  for (;;) {
    const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 1000 }));
    if (Versions.length === 0) return;
    for (const { Key, VersionId } of Versions) {
      await client.send(new PutObjectLegalHoldCommand({ Bucket, Key, VersionId, LegalHold: { Status: "OFF" } }));
      await client.send(new DeleteObjectCommand({ Bucket, Key, VersionId, BypassGovernanceRetention: true }));
    }
  }
}
