import type { Logger } from "pino";
import type { RedisClient } from "../redis/connection/client.ts";
import type { TroubleLog } from "../redis/connection/trouble-log.ts";
import type { RedisFacts } from "../redis/health/check.ts";
import { createReplicaWait, type ReplicaWait } from "../redis/replica-wait.ts";
import type { WorkerSettings } from "./config/parse.ts";

type Scope = {
  readonly config: Pick<WorkerSettings, "waitReplicas">;
  readonly log: Logger;
  readonly trouble: TroubleLog;
  readonly resources: AsyncDisposableStack;
};

/** Where it was asked for, what a move remembers has to be on replicas before its source is deleted. Undefined where it was not. */
export function waitForReplicas(
  { config, log, trouble, resources }: Scope,
  redis: RedisClient,
  facts: Pick<RedisFacts, "replicas">,
): ReplicaWait | undefined {
  const expected = config.waitReplicas;
  if (expected === 0) return undefined;
  if (facts.replicas < expected)
    log.warn(
      { replicas: facts.replicas, expected },
      "Redis has fewer replicas than BUCKETLINE_REDIS_WAIT_REPLICAS: no move deletes its source until it has them",
    );
  const replicas = createReplicaWait(redis, {
    replicas: expected,
    onTrouble: (error) => trouble(error, "moves wait for replicas of Redis"),
  });
  resources.defer(() => replicas.close());
  return replicas;
}
