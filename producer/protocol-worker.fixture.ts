import { randomUUID } from "node:crypto";
import { UnrecoverableError, Worker, type Job } from "bullmq";
import { expect, onTestFinished, vi } from "vitest";
import { ActivityError } from "../model/activity-error.ts";
import type { ActivityName, S3Object } from "../jobs/contracts.ts";
import type { RedisClient } from "../redis/connection/client.ts";
import { redisKeys } from "../redis/keys.ts";
import { nodesOf, openTestRedis, redisUrl, uniquePrefix } from "../test/fixtures.ts";
import { createProducer, type Producer } from "./create.ts";
import type { ProducerOptions } from "./options.ts";

/** A producer with a prefix of its own, and a client to look at what it left in Redis. */
export function setUp(options: Partial<ProducerOptions> & { readonly url?: string } = {}) {
  const { url = redisUrl(), ...rest } = options;
  const prefix = options.prefix ?? uniquePrefix();
  const producer: Producer = createProducer({ redis: url, prefix, ...rest });
  const client = openTestRedis(url);
  client.on("error", () => {}); // some tests stop Redis on purpose
  onTestFinished(async () => {
    await producer.close();
    client.disconnect();
  });
  return { producer, client, prefix, url, keys: redisKeys(prefix) };
}

/** A plain BullMQ worker that plays the worker's side of the protocol for one activity. */
export async function startWorker(
  { url, prefix }: { readonly url: string; readonly prefix: string },
  activity: ActivityName,
  run: (job: Job, signal: AbortSignal) => Promise<unknown>,
) {
  const keys = redisKeys(prefix);
  const client = openTestRedis(url);
  client.on("error", () => {}); // some tests stop Redis on purpose
  const controllers = new Map<string, AbortController>();
  const subscriber = client.duplicate();
  subscriber.on("error", () => {});
  await subscriber.subscribe(keys.cancelChannel());
  subscriber.on("message", (_channel, message) => controllers.get(message)?.abort());

  const attempt = async (job: Job) => {
    const id = String(job.id);
    const controller = new AbortController();
    controllers.set(`${activity}/${id}`, controller);
    try {
      if (await client.exists(keys.cancelled(activity, id))) throw new ActivityError("Cancelled", "cancelled");
      return await run(job, controller.signal);
    } catch (error) {
      if (!(error instanceof ActivityError)) throw error;
      await client.hset(keys.job(activity, id), "error", JSON.stringify(error));
      throw error.retryable ? error : new UnrecoverableError(error.message);
    }
  };
  const worker = new Worker(activity, attempt, {
    connection: client,
    prefix,
    concurrency: 50,
    name: randomUUID(),
    settings: { backoffStrategy: () => 10 },
  });
  worker.on("error", () => {});
  await worker.waitUntilReady();
  const stop = async () => {
    await worker.close(true);
    client.disconnect();
    subscriber.disconnect();
  };
  onTestFinished(stop);
  return { worker, stop };
}

/** What Node warns of from now on, such as listeners that pile up. */
export function warnings(): readonly string[] {
  const seen: string[] = [];
  const warn = (warning: Error) => void seen.push(warning.message);
  process.on("warning", warn);
  onTestFinished(() => void process.off("warning", warn));
  return seen;
}

/** Resolves when the ends of this prefix's jobs are followed, on one connection; gives its id in Redis. */
export async function followed({
  client,
  prefix,
}: {
  readonly client: RedisClient;
  readonly prefix: string;
}): Promise<string> {
  return await vi.waitFor(async () => {
    const lists = await Promise.all(nodesOf(client).map((node) => node.client("LIST")));
    const clients = lists.flatMap((list) => String(list).split("\n"));
    const following = clients.filter((line) => line.includes(` name=${prefix}:`) && line.includes(" cmd=xread "));
    expect(following).toHaveLength(1);
    return /^id=(\d+)/.exec(following[0] ?? "")?.[1] ?? "";
  }, 5000);
}

/** The code that something is rejected with, or its message where it has none; for what is awaited later. */
export async function rejection(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "resolved";
  } catch (error) {
    return error instanceof ActivityError ? error.code : String(error);
  }
}

export function anObject(key: string): S3Object {
  return { bucket: "in", key, size: 1, etag: "e", lastModified: "2026-11-22T00:00:00.000Z", storageClass: "STANDARD" };
}

/** What an inline list-objects result looks like on the job. */
export function inlineList(...keys: string[]) {
  return { count: keys.length, objects: keys.map(anObject) };
}
