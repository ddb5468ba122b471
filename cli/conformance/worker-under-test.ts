import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Redis } from "ioredis";
import { createProducer, type Producer } from "../../producer/index.ts";
import { startRedis } from "../../sandbox/index.ts";
import { startWorkerProcess } from "../processes/worker.ts";
import { THRESHOLD } from "./check.ts";

export type Target = {
  /** Absent: AWS. */
  readonly endpoint: string | undefined;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
  readonly pathStyle: boolean;
};

/** What of the environment would change what the worker does. */
const NOT_HANDED_ON = /^(AWS_|BUCKETLINE_|DOCUMENTS_URL|REDIS_URL)/;

/**
 * Redis, a worker process that reaches the store with the profile `default`, and a producer; all of it under a prefix of its own, and
 * gone when the stack is disposed.
 */
export async function startWorkerUnderTest(
  target: Target,
  { settings, env, prefix }: { readonly settings: object; readonly env: NodeJS.ProcessEnv; readonly prefix: string },
  stack: AsyncDisposableStack,
): Promise<Producer> {
  const folder = await mkdtemp(join(tmpdir(), "bucketline-conformance-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const redis = await startRedis({ url: env["REDIS_URL"] });
  stack.defer(async () => {
    if (redis.how === "given") await removeKeys(redis.url, prefix);
    await redis.stop();
  });
  const profiles = join(folder, "profiles.json");
  await writeFile(profiles, JSON.stringify(profilesFor(target, settings)), { mode: 0o600 });
  const documents = pathToFileURL(join(folder, "documents")).href;
  const handedOn = Object.fromEntries(Object.entries(env).filter(([name]) => !NOT_HANDED_ON.test(name)));
  const worker = await startWorkerProcess({
    ...handedOn,
    REDIS_URL: redis.url,
    BUCKETLINE_PREFIX: prefix,
    BUCKETLINE_PROFILES: profiles,
    DOCUMENTS_URL: documents,
    CONFORMANCE_ACCESS_KEY: target.accessKeyId,
    CONFORMANCE_SECRET_KEY: target.secretAccessKey,
    CONFORMANCE_WRONG_SECRET_KEY: "not the secret key",
    ...(target.sessionToken !== undefined && { CONFORMANCE_SESSION_TOKEN: target.sessionToken }),
    BUCKETLINE_MULTIPART_THRESHOLD: `${THRESHOLD / 1024 ** 2}MiB`,
    BUCKETLINE_COPY_PART_SIZE: `${THRESHOLD / 1024 ** 2}MiB`,
    BUCKETLINE_UPLOAD_PART_SIZE: `${THRESHOLD / 1024 ** 2}MiB`,
    BUCKETLINE_OPERATION_TIMEOUT: "2m",
  });
  stack.defer(() => worker.stop());
  const producer = createProducer({ redis: redis.url, prefix, documents });
  stack.defer(() => producer.close());
  return producer;
}

function profilesFor({ endpoint, region, pathStyle, sessionToken }: Target, settings: object) {
  const provider = (secret: string) => ({
    type: sessionToken === undefined ? "static" : "session",
    accessKeyId: { env: "CONFORMANCE_ACCESS_KEY" },
    secretAccessKey: { env: secret },
    ...(sessionToken !== undefined && { sessionToken: { env: "CONFORMANCE_SESSION_TOKEN" } }),
  });
  const store = { endpoint: endpoint ?? "aws", region, pathStyle, ...settings };
  return {
    profiles: {
      default: { provider: provider("CONFORMANCE_SECRET_KEY"), ...store },
      wrong: { provider: provider("CONFORMANCE_WRONG_SECRET_KEY"), ...store },
    },
  };
}

/** A Redis that was given is somebody's: what the run left there goes. */
async function removeKeys(url: string, prefix: string): Promise<void> {
  const redis = new Redis(url);
  try {
    for await (const keys of redis.scanStream({ match: `${prefix}:*`, count: 1000 })) {
      if (Array.isArray(keys) && keys.length > 0) await redis.unlink(...(keys as string[])); // SCAN's keys are strings
    }
  } finally {
    redis.disconnect();
  }
}
