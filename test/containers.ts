import { GenericContainer, getContainerRuntimeClient, Wait } from "testcontainers";
import type { S3Server } from "./fixtures.ts";

/** Pinned, and the same as in docker-compose.yml. */
const REDIS_IMAGE = "redis:8.2.3-alpine";
const S3_IMAGE = "rustfs/rustfs:1.0.0";

export type Containers = {
  readonly described: string;
  readonly redisUrl: string;
  readonly s3Server: S3Server;
  readonly stop: () => Promise<void>;
};

/** Redis and an S3 server that we did not write, or undefined where no Docker engine answers. */
export async function startContainers(): Promise<Containers | undefined> {
  try {
    await getContainerRuntimeClient();
  } catch {
    return undefined; // no engine: the ordinary case on a laptop without Docker, and what is used instead is printed
  }
  const [redis, s3] = await Promise.all([startRedis(), startS3()]);
  return {
    described: `testcontainers: ${REDIS_IMAGE} and ${S3_IMAGE}`,
    redisUrl: `redis://${redis.getHost()}:${redis.getMappedPort(6379)}`,
    s3Server: {
      endpoint: `http://${s3.getHost()}:${s3.getMappedPort(9000)}`,
      region: "us-east-1",
      accessKeyId: S3_KEYS.RUSTFS_ACCESS_KEY,
      secretAccessKey: S3_KEYS.RUSTFS_SECRET_KEY,
    },
    stop: async () => {
      await Promise.all([redis.stop(), s3.stop()]);
    },
  };
}

const S3_KEYS = { RUSTFS_ACCESS_KEY: "bucketline-test", RUSTFS_SECRET_KEY: "bucketline-test-secret" };

function startRedis() {
  return new GenericContainer(REDIS_IMAGE)
    .withCommand(["redis-server", "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"])
    .withExposedPorts(6379)
    .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/))
    .start();
}

function startS3() {
  return new GenericContainer(S3_IMAGE)
    .withEnvironment(S3_KEYS)
    .withExposedPorts(9000)
    .withWaitStrategy(Wait.forHttp("/health", 9000))
    .start();
}
