/**
 * The worker that a developer writes in an afternoon: BullMQ with its defaults around one SDK call for each job.
 * Not ours in any part; what Bucketline is measured beside. Only the sockets are set, which are 50 by default.
 */
import { Agent } from "node:http";
import { CopyObjectCommand, HeadObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { type Job, Worker } from "bullmq";
import { Redis } from "ioredis";
import type { PlainJob } from "../lab/plain-worker.ts";
import { serve } from "../lab/sibling.ts";
import type { StoreAddress } from "../lab/open.ts";

type Setting = {
  readonly redis: string;
  readonly queue: string;
  readonly concurrency: number;
  readonly store: StoreAddress;
};

// Written by startPlainWorker.
const { redis, queue, concurrency, store } = JSON.parse(process.argv[2] ?? "{}") as Setting;

const s3 = new S3Client({
  endpoint: store.endpoint,
  region: store.region,
  credentials: store.credentials,
  forcePathStyle: true,
  requestHandler: { httpAgent: new Agent({ keepAlive: true, maxSockets: concurrency }) },
});

async function run({ data }: Job<PlainJob>): Promise<object> {
  if (data.what === "nothing") return { success: true };
  if (data.what === "head") {
    const { ETag, ContentLength } = await s3.send(new HeadObjectCommand({ Bucket: data.bucket, Key: data.key }));
    return { etag: ETag, size: ContentLength };
  }
  const { CopyObjectResult } = await s3.send(
    new CopyObjectCommand({
      Bucket: data.destination.bucket,
      Key: data.destination.key,
      CopySource: `${data.bucket}/${encodeURIComponent(data.key)}`,
    }),
  );
  return { success: true, etag: CopyObjectResult?.ETag };
}

const worker = new Worker<PlainJob>(queue, run, {
  connection: new Redis(redis, { maxRetriesPerRequest: null }),
  concurrency,
});
worker.on("error", (error) => console.error(error));
await worker.waitUntilReady();
serve(() => Promise.resolve());
