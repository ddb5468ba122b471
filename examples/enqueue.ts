// oxlint-disable no-console -- an example talks to its reader
/**
 * A file goes into S3, is listed, moved, read back and deleted; each step is a job that a worker runs.
 * Start a worker first (`npm start` prints the settings to export), then: node examples/enqueue.ts
 */
import { randomUUID } from "node:crypto";
import { text } from "node:stream/consumers";
// In your own app: from "bucketline".
import { createProducer } from "../producer/index.ts";

const timeout = 30_000;
const bucket = `example-${randomUUID()}`;

await using producer = createProducer({
  redis: process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379",
  prefix: process.env["BUCKETLINE_PREFIX"],
  documents: process.env["DOCUMENTS_URL"],
});

await producer.run("create-bucket", { bucket }, { timeout });

// The content goes through the document store; the job carries a pointer to it.
const document = await producer.documents.write("Hello from an app", { name: "hello.txt", contentType: "text/plain" });
const put = await producer.run("put-object", { bucket, document, key: "in/hello.txt" }, { timeout });
console.log(`put    ${put.object.key}: ${put.object.size} bytes, etag ${put.object.etag}`);

// What a listing returns is what other activities take, unchanged.
const listing = await producer.enqueue("list-objects", { bucket, prefix: "in/" });
for await (const object of listing.entities({ timeout })) {
  const destination = { bucket, key: object.key.replace(/^in\//, "done/") };
  const moved = await producer.run("move-object", { object, destination }, { timeout });
  console.log(`moved  ${object.key} to ${moved.object.key}: verified by ${moved.verified}, ${moved.guarantee} delete`);
}

const got = await producer.run("get-object", { object: { bucket, key: "done/hello.txt" } }, { timeout });
console.log(`got    ${JSON.stringify(await text(await producer.documents.read(got.document)))}`);

await producer.run("delete-object", { object: got.object }, { timeout });
await producer.run("delete-bucket", { bucket }, { timeout });
console.log("done: the bucket is gone again");
