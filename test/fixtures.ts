import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { inject } from "vitest";
import { isCluster as isClusterClient, type RedisClient } from "../redis/connection/client.ts";
import { connectRedis } from "../redis/connection/connect.ts";

/** An S3 server that we did not write; there is one where a Docker engine answers. */
export type S3Server = {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
};

declare module "vitest" {
  interface ProvidedContext {
    redisUrl: string;
    s3Server: S3Server | null;
  }
}

/** The Redis of this test run: real, shared by all test files, gone afterwards. A test that stops Redis starts its own. */
export function redisUrl(): string {
  return inject("redisUrl");
}

/** A prefix for keys in Redis that no other test uses. */
export function uniquePrefix(): string {
  const prefix = `test-${randomUUID()}`;
  return isCluster(redisUrl()) ? `{${prefix}}` : prefix;
}

/** A client of that Redis, to look into it and to change what is there. */
export function openTestRedis(url = redisUrl()): Redis {
  // A Cluster has all of the commands that tests use. Files of certificates are nothing that ioredis reads in a URL.
  return isCluster(url) || url.includes("?")
    ? (connectRedis(url) as unknown as Redis)
    : new Redis(url, { maxRetriesPerRequest: null });
}

const isCluster = (url: string): boolean => url.startsWith("redis+cluster:");

/** Keys of one server, or of all of a cluster's, that match. */
export async function keysLike(client: RedisClient, pattern: string): Promise<readonly string[]> {
  return (await Promise.all(nodesOf(client).map((node) => node.keys(pattern)))).flat();
}

/** The servers behind a client. */
export function nodesOf(client: RedisClient): readonly Redis[] {
  return isClusterClient(client) ? client.nodes("master") : [client];
}

/** The S3 server of this test run that we did not write, where there is one; else tests use the sandbox's. */
export function s3Server(): S3Server | undefined {
  return inject("s3Server") ?? undefined;
}
