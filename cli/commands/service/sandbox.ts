import { once } from "node:events";
import { Command, InvalidArgumentError } from "commander";
import { startRedis, startSandbox } from "../../../sandbox/index.ts";
import type { Environment } from "../../environment.ts";
import { stopSignal } from "../../stop-signal.ts";

type Options = { readonly port: number; readonly redis: boolean; readonly bucket: readonly string[] };

/** `bucketline sandbox`: an S3 server in memory and a Redis, to try things and to run tests against. */
export function sandboxCommand({ env }: Environment): Command {
  return new Command("sandbox")
    .description("run an S3 server in memory, and a Redis where none is given; nothing is kept")
    .option("--port <number>", "port of the S3 server; 0 picks a free one", port, 9420)
    .option("--bucket <name...>", "buckets to make at the start", ["sandbox"])
    .option("--no-redis", "do not start a Redis")
    .addHelpText(
      "after",
      `
Examples:
  1. bucketline sandbox
  2. bucketline sandbox --port 0 --no-redis
  3. bucketline sandbox --bucket photos --bucket archive
     then: AWS_ENDPOINT_URL=http://127.0.0.1:9420 AWS_ACCESS_KEY_ID=sandbox AWS_SECRET_ACCESS_KEY=sandbox-secret aws s3 ls`,
    )
    .action(async (options: Options) => run(options, env));
}

async function run({ port: at, redis: wantsRedis, bucket }: Options, env: NodeJS.ProcessEnv): Promise<void> {
  const sandbox = await startSandbox({ port: at });
  for (const name of bucket) sandbox.createBucket(name);
  const redis = wantsRedis ? await startRedis({ url: env["REDIS_URL"] }) : undefined;
  const { accessKeyId, secretAccessKey } = sandbox.credentials;
  console.log(`export AWS_ENDPOINT_URL_S3=${sandbox.endpoint}
export AWS_ACCESS_KEY_ID=${accessKeyId}
export AWS_SECRET_ACCESS_KEY=${secretAccessKey}
export AWS_REGION=us-east-1`);
  if (redis) console.log(`export REDIS_URL=${redis.url}`);
  console.log(`# ready; buckets: ${bucket.join(", ")}. Ctrl-C ends it, and what it holds is gone.`);
  using stop = stopSignal();
  await once(stop.signal, "abort");
  await sandbox.close();
  await redis?.stop();
}

function port(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= 65_535) return value;
  throw new InvalidArgumentError("expected a port, 0 to 65535");
}
