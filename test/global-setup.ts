import type { TestProject } from "vitest/node";
import { startContainers } from "./containers.ts";
import { startLocalRedis } from "./local-redis.ts";

/** Gives every test file Redis: REDIS_URL where it is set, else containers where Docker answers, else a local process. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const services = await start();
  console.log(`tests run on ${services.described}`);
  project.provide("redisUrl", services.redisUrl);
  project.provide("s3Server", services.s3Server);
  return services.stop;
}

async function start() {
  const given = process.env["REDIS_URL"];
  if (given) {
    return {
      described: "the Redis at REDIS_URL and the sandbox's S3",
      redisUrl: given,
      s3Server: null,
      stop: async () => {},
    };
  }
  const containers = await startContainers();
  if (containers) return containers;
  const redis = await startLocalRedis();
  return { described: "a local Redis and the sandbox's S3", redisUrl: redis.url, s3Server: null, stop: redis.stop };
}
