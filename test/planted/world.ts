import { expect, vi } from "vitest";
import type { Redis } from "ioredis";
import { redisKeys } from "../../redis/keys.ts";
import type { Harness } from "../harness.ts";
import type { Named } from "./kinds.ts";

const QUEUE = "head-bucket";

/** Something of each kind, at rest: what the dashboard shows, and what workers go on with. */
export async function fillWorld({ producer, run, sandbox, prefix }: Harness, redis: Redis): Promise<Named> {
  for (const bucket of ["in", "out"]) sandbox.createBucket(bucket);
  for (let n = 0; n < 5; n++) sandbox.put("in", `k${n}`, `content ${n}`);
  await expect(run(QUEUE, { bucket: "absent" })).rejects.toMatchObject({ code: "NoSuchBucket" });
  const ended = await producer.enqueue(QUEUE, { bucket: "in" }, { idempotencyKey: "once" });
  await ended.result({ timeout: 30_000 });
  await producer.enqueue(QUEUE, { bucket: "in" }, { delay: 3_600_000 });
  await producer.schedule("hourly", { every: "1h" }, QUEUE, { bucket: "in" });
  const items = [{ bucket: "in", key: "none" }];
  await producer.batches.schedule("hourly", { every: "1h" }, { operation: "delete", source: { items } });
  const keys = redisKeys(prefix);
  const [group = ""] = await redis.zrange(keys.failures(), "0", "0");
  const [worker = ""] = await redis.zrange(keys.workers(), "0", "0");
  return {
    queue: QUEUE,
    job: ended.id,
    birth: "0".repeat(32),
    batch: await planBatch({ producer }),
    schedule: "hourly",
    group,
    worker,
    bucket: "in",
  };
}

/** A batch that waits to be confirmed. */
export async function planBatch({ producer }: Pick<Harness, "producer">): Promise<string> {
  const [source, destination] = [{ bucket: "in" }, { bucket: "out" }];
  const batch = await producer.batches.start({ operation: "copy", source, destination, dryRun: true });
  await vi.waitFor(async () => expect((await batch.status()).state).toBe("planned"), { timeout: 30_000 });
  return batch.id;
}
