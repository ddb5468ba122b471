import type { TestProject } from "vitest/node";
import { startRedis } from "../sandbox/index.ts";
import { startContainers } from "./containers.ts";

/** Gives the test files Redis: REDIS_URL where it is set, else containers where Docker answers, else a local process. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { described, redisUrl, s3Server, stop } = await start();
  console.log(`tests run on ${described}`);
  project.provide("redisUrl", redisUrl);
  project.provide("s3Server", s3Server);
  return stop;
}

async function start() {
  const url = process.env["REDIS_URL"];
  const containers = url ? undefined : await startContainers();
  if (containers) return containers;
  const redis = await startRedis({ url, choices: ["redis-server", "valkey-server"] });
  const name = redis.how === "given" ? "the Redis at REDIS_URL" : `a local ${redis.how}`;
  return { described: `${name} and the sandbox's S3`, redisUrl: redis.url, s3Server: null, stop: () => redis.stop() };
}
