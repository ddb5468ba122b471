import type { TestProject } from "vitest/node";
import { startClusterServers } from "./faults/redis/groups.ts";

/** Gives the test files three real nodes of a Redis Cluster. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cluster = await startClusterServers(0, {});
  console.log(`tests of Redis Cluster run on ${cluster.url} and another node`);
  project.provide("redisUrl", cluster.url);
  project.provide("s3Server", null);
  return async () => {
    await cluster[Symbol.asyncDispose]();
  };
}
