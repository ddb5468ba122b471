import { createHash, type Hash } from "node:crypto";

/** The MD5 of the parts' MD5s and their count. https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html */
export function partEtags(partSize: number): { update(chunk: Buffer): void; etag(): string } {
  const digests: Buffer[] = [];
  let hash: Hash = createHash("md5");
  let filled = 0;
  const finish = (): void => {
    digests.push(hash.digest());
    hash = createHash("md5");
    filled = 0;
  };
  return {
    update(chunk) {
      for (let start = 0; start < chunk.length;) {
        const slice = chunk.subarray(start, start + partSize - filled);
        hash.update(slice);
        filled += slice.length;
        start += slice.length;
        if (filled === partSize) finish();
      }
    },
    etag() {
      if (filled > 0) finish();
      return compositeEtag(digests);
    },
  };
}

/** What S3 calls an object that was uploaded in parts with these MD5s. */
export function compositeEtag(digests: readonly Buffer[]): string {
  return `${createHash("md5").update(Buffer.concat(digests)).digest("hex")}-${digests.length}`;
}
