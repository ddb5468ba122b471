/** The SDK alone, as its manual shows it: an object streamed into a file, and a file uploaded by lib-storage. No queue, nothing verified. */
import { createReadStream, createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import type { StoreAddress } from "../lab/open.ts";
import type { TransferOrder } from "../benchmarks/large-objects.ts";
import { serve } from "../lab/sibling.ts";

// Written by largeObjects.
const { endpoint, region, credentials } = JSON.parse(process.argv[2] ?? "{}") as StoreAddress;
const s3 = new S3Client({ endpoint, region, credentials, forcePathStyle: true });

async function transfer({ what, bucket, key, file }: TransferOrder): Promise<void> {
  if (what === "put") {
    const params = { Bucket: bucket, Key: key, Body: createReadStream(file) };
    await new Upload({ client: s3, params }).done();
    return;
  }
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  if (!(Body instanceof Readable)) throw new Error("expected a body");
  // Flushed to the disk before it counts, as ours is.
  await pipeline(Body, createWriteStream(file, { flush: true }));
}

// Sent by largeObjects.
serve((order) => transfer(order as TransferOrder));
