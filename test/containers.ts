import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from "testcontainers";
import type { S3Server } from "./fixtures.ts";

/** As in docker-compose.yml. */
const REDIS_IMAGE = "redis:8.4.0-alpine";
const S3_IMAGE = "rustfs/rustfs:1.0.0";
const S3_KEYS = { RUSTFS_ACCESS_KEY: "bucketline-test", RUSTFS_SECRET_KEY: "bucketline-test-secret" };

export type Containers = {
  readonly described: string;
  readonly redisUrl: string;
  readonly s3Server: S3Server;
  readonly stop: () => Promise<void>;
};

/** Redis and an S3 server that we did not write, or undefined where no Docker engine runs them; why not is printed. */
export async function startContainers(): Promise<Containers | undefined> {
  try {
    await getContainerRuntimeClient();
  } catch {
    return undefined; // no engine: the ordinary case without Docker, and what is used instead is printed
  }
  const started = await Promise.allSettled([startRedis(), startS3()]);
  const running = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const stop = async () => {
    await Promise.all(running.map((container) => container.stop()));
  };
  const [redis, s3] = running;
  if (redis && s3) return { ...addresses(redis, s3), stop };
  await stop();
  const reasons = started.flatMap((one) => (one.status === "rejected" ? [String(one.reason)] : []));
  console.log(`Docker answers, but does not run the tests' containers: ${reasons.join("; ")}`);
  return undefined;
}

function addresses(redis: StartedTestContainer, s3: StartedTestContainer): Omit<Containers, "stop"> {
  return {
    described: `testcontainers: ${REDIS_IMAGE} and ${S3_IMAGE}`,
    redisUrl: `redis://${redis.getHost()}:${redis.getMappedPort(6379)}`,
    s3Server: {
      endpoint: `http://${s3.getHost()}:${s3.getMappedPort(9000)}`,
      region: "us-east-1",
      accessKeyId: S3_KEYS.RUSTFS_ACCESS_KEY,
      secretAccessKey: S3_KEYS.RUSTFS_SECRET_KEY,
    },
  };
}

function startRedis(): Promise<StartedTestContainer> {
  const settings = ["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction", "--protected-mode", "no"];
  return new GenericContainer(REDIS_IMAGE)
    .withCommand(["redis-server", ...settings])
    .withExposedPorts(6379)
    .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/))
    .start();
}

function startS3(): Promise<StartedTestContainer> {
  return new GenericContainer(S3_IMAGE)
    .withEnvironment(S3_KEYS)
    .withExposedPorts(9000)
    .withWaitStrategy(Wait.forHttp("/health", 9000))
    .start();
}
