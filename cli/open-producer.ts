import { hostname, userInfo } from "node:os";
import type { Producer } from "../producer/index.ts";
import { ActivityError } from "../model/activity-error.ts";
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
    redis: redisOf(env),
    prefix: env["BUCKETLINE_PREFIX"] || undefined,
    documents: env["DOCUMENTS_URL"] || undefined,
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

function redisOf(env: NodeJS.ProcessEnv): string {
  const problems: string[] = [];
  const url = redisUrlOf(env, problems);
  if (problems.length > 0) throw new ActivityError("InvalidConfiguration", problems.join("; "));
  return url;
}
