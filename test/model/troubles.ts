import { elapsed } from "./clock.ts";
import type { BatchQueue } from "./lanes/batch-queue.ts";
import type { JobQueue } from "./lanes/job-queue.ts";
import type { Others } from "./players/others.ts";
import type { Producer } from "./players/producer.ts";
import type { Workers } from "./players/workers.ts";
import type { Trouble } from "./profile.ts";
import type { Scene } from "./scene.ts";

/** Everybody who takes part in a history. */
export type Cast = {
  readonly scene: Scene;
  readonly jobs: JobQueue;
  readonly batches: BatchQueue;
  readonly workers: Workers;
  readonly others: Others;
  readonly producer: Producer;
  /** Until when the store asks for time. */
  readonly storm: { until: number };
};

/** What comes of each trouble. */
export const troubles: Readonly<Record<Trouble, (cast: Cast) => void>> = {
  "more work": ({ producer }) => producer.addNext(),
  "others write": ({ others }) => others.write(),
  "others delete": ({ others }) => others.delete(),
  "a worker dies": ({ workers }) => workers.die(),
  "a lock is lost": loseALock,
  "Redis goes back": goBack,
  "a worker is cut off": ({ workers }) => workers.loseRedis(),
  "a clock steps": ({ workers }) => workers.stepClock(),
  "batches are cancelled": cancelBatches,
  "the store asks for time": askForTime,
  "a worker is cut off in a storm": loseRedisInStorm,
  "Redis is saved": ({ scene }) => scene.redis.snapshot(),
};

function loseALock({ scene: { random, truth, world }, jobs, batches }: Cast): void {
  world.note("a lock is lost");
  truth.disturbed();
  if (random.next() < 0.5) jobs.loseALock();
  else batches.loseALock();
}

function goBack({ scene: { redis, truth } }: Cast): void {
  redis.goBack();
  truth.forgot();
}

function cancelBatches({ scene: { world }, batches }: Cast): void {
  world.note("batches are cancelled");
  batches.cancel();
}

function askForTime({ scene: { random, world }, storm }: Cast): void {
  world.note("the store asks for time");
  storm.until = elapsed() + random.pick([2000, 25_000]);
}

/** Once in a history: while a worker that is about to delete hears nothing of Redis, and its batch is cancelled, the store asks for time. */
function loseRedisInStorm(cast: Cast): void {
  const { scene, workers, storm } = cast;
  const { random, world } = scene;
  if (storm.until > 0) return;
  const worker = workers.loseRedisBeforeDelete();
  if (worker === undefined) return;
  storm.until = elapsed() + random.pick([16_000, 20_000, 25_000]);
  world.note(`${worker.name} is cut off from Redis, and the store asks for time`);
  if (random.next() < 0.8) setTimeout(() => cancelBatches(cast), 8000);
}
