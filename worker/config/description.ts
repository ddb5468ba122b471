import { withoutSecrets } from "../../redis/connection/url.ts";
import type { WorkerSettings } from "./parse.ts";

/**
 * What a worker prints at its start: the configuration without any secret. It is put together field by field, so that a
 * new field is not printed before somebody has thought about it.
 *
 * @example
 * import { describeConfig, parseWorkerConfig } from "bucketline/worker";
 *
 * console.log(describeConfig(parseWorkerConfig(process.env)));
 */
export function describeConfig(config: WorkerSettings): Readonly<Record<string, unknown>> {
  const { profiles, s3 } = config;
  const work = [...config.activities, ...(config.batches ? (["batches"] as const) : [])];
  return {
    redis: typeof config.redis === "string" ? withoutSecrets(config.redis) : "given by the program",
    prefix: config.prefix,
    concurrency: Object.fromEntries(work.map((name) => [name, config.concurrency[name]])),
    profiles: profiles.file ?? "one, default, of the AWS_* environment and AWS's default chain",
    region: profiles.defaults?.region,
    multipartThreshold: profiles.defaults?.multipartThreshold,
    sealKeys: profiles.sealing?.keysFile,
    documents: withoutPassword(config.documentsUrl),
    operationTimeoutMs: config.operationTimeoutMs,
    shutdownTimeoutMs: config.shutdownTimeoutMs,
    health: config.health,
    logLevel: config.logLevel,
    allowEviction: config.allowEviction,
    s3: {
      maxSockets: s3.maxSockets,
      connectTimeoutMs: s3.connectTimeoutMs,
      requestTimeoutMs: s3.requestTimeoutMs,
      copyTimeoutMs: s3.copyTimeoutMs,
      idleTimeoutMs: s3.idleTimeoutMs,
      fastPath: s3.fastPath,
      uploadPartSize: s3.uploadPartSize,
      copyPartSize: s3.copyPartSize,
      copyParts: s3.copyParts,
    },
    retention: config.retention,
  };
}

/** Of the query only the profile of a document store is kept. */
function withoutPassword(text: string): string {
  const url = URL.parse(text);
  if (url === null) return "not a URL";
  if (url.password !== "") url.password = "***";
  const profile = url.protocol === "s3:" ? url.searchParams.get("profile") : null;
  url.search = profile === null ? "" : `?profile=${encodeURIComponent(profile)}`;
  return url.href;
}
