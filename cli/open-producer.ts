import { hostname, userInfo } from "node:os";
import type { Producer } from "../producer/index.ts";
import { invalidEnvironment } from "../model/invalid-environment.ts";
import { DocumentsUrl } from "../documents/location.ts";
import { RedisUrl } from "../redis/connection/url.ts";
import { RedisPrefix } from "../redis/prefix.ts";
import { redisUrlOf } from "../redis/connection/url-from-environment.ts";
import type { Environment } from "./environment.ts";

/** Somebody sits and waits for the answer. */
const REDIS_TIMEOUT_MS = 5_000;

/** A producer as any app has it: REDIS_URL, BUCKETLINE_PREFIX and DOCUMENTS_URL are those of the workers. Closed after the work. */
export async function withProducer<T>({ env }: Environment, work: (producer: Producer) => Promise<T>): Promise<T> {
  // Loaded when it is used: help and wrong usage answer at once.
  const { createProducer } = await import("../producer/index.ts");
  const producer = createProducer({
    redisTimeout: REDIS_TIMEOUT_MS,
    ...settingsOf(env),
    telemetry: env["BUCKETLINE_TELEMETRY"] === "true",
    actor: actorOf(env),
  });
  try {
    return await work(producer);
  } finally {
    await producer.close();
  }
}

/** Whoever is signed in at this machine, or who is named. */
function actorOf(env: NodeJS.ProcessEnv) {
  const name = (env["BUCKETLINE_ACTOR"] || `${userName()}@${hostname()}`).slice(0, 128);
  return { name, via: "cli" as const, reason: env["BUCKETLINE_REASON"] || undefined };
}

/** A container may run as a number that no user has. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}

/** Where the workers are. Throws `InvalidConfiguration`, which names every wrong variable. */
function settingsOf(env: NodeJS.ProcessEnv) {
  const problems: string[] = [];
  const redis = redisUrlOf(env, problems);
  const prefix = env["BUCKETLINE_PREFIX"] || undefined;
  const documents = env["DOCUMENTS_URL"] || undefined;
  const given = [
    ["REDIS_URL", RedisUrl, redis],
    ["BUCKETLINE_PREFIX", RedisPrefix, prefix],
    ["DOCUMENTS_URL", DocumentsUrl, documents],
  ] as const;
  for (const [name, schema, value] of given)
    for (const { message } of schema.optional().safeParse(value).error?.issues ?? [])
      problems.push(`${name}: ${message}`);
  if (problems.length === 0) return { redis, prefix, documents };
  throw invalidEnvironment(problems);
}
