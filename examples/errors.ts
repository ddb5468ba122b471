// oxlint-disable no-console -- an example talks to its reader
/**
 * What goes wrong, and how an app tells it apart.
 * Start a worker first (`npm start` prints the settings to export), then: node examples/errors.ts
 */
import { randomUUID } from "node:crypto";
// In your own app: from "bucketline".
import { ActivityError, createProducer } from "../producer/index.ts";

const timeout = 30_000;

await using producer = createProducer({
  redis: process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379",
  prefix: process.env["BUCKETLINE_PREFIX"],
});

async function attempt(what: string, run: () => Promise<unknown>): Promise<void> {
  try {
    console.log(`${what}: ${JSON.stringify(await run())}`);
  } catch (error) {
    if (!(error instanceof ActivityError)) throw error;
    console.log(`${what}: ${error.message}${error.retryable ? " (worth trying again)" : ""}`);
  }
}

const missing = { bucket: `no-such-bucket-${randomUUID()}` };

await attempt("an input that is wrong is never sent", () => producer.enqueue("list-objects", { bucket: "a b" }));
await attempt("a refusal by S3 has S3's own code", () => producer.run("list-objects", missing, { timeout }));
await attempt("or is a plain false", async () =>
  (await producer.enqueue("list-objects", missing)).succeeded({ timeout }),
);

const later = await producer.enqueue("list-objects", missing, { delay: 3_600_000 });
await attempt("a wait can time out; the job goes on", () => later.result({ timeout: 100 }));
await attempt("cancelled", () => later.cancel());
await attempt("and whoever waits for it", () => later.result({ timeout }));

const idempotencyKey = `report-${randomUUID()}`;
const first = await producer.enqueue("head-bucket", missing, { idempotencyKey });
const again = await producer.enqueue("head-bucket", missing, { idempotencyKey });
console.log(`the same key and input are the same job: ${first.id === again.id}`);
await attempt("the same key with another input", () =>
  producer.enqueue("head-bucket", { bucket: "another" }, { idempotencyKey }),
);
