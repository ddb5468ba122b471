import { createRandom } from "../faults/random.ts";
import { elapsed, resetClock } from "./clock.ts";
import { BatchQueue } from "./lanes/batch-queue.ts";
import { batchStoreOf } from "./lanes/batch-store.ts";
import { deliverChunk } from "./lanes/deliver-chunk.ts";
import { deliverJob } from "./lanes/deliver-job.ts";
import { JobQueue } from "./lanes/job-queue.ts";
import { Others } from "./players/others.ts";
import { Producer } from "./players/producer.ts";
import { type Lane, Workers } from "./players/workers.ts";
import { drawProfile, drawTrouble } from "./profile.ts";
import { openScene, type Scene } from "./scene.ts";
import { type Cast, troubles } from "./troubles.ts";
import { CALM, type Weather } from "./world.ts";

export type RunResult = {
  readonly seed: number;
  readonly steps: number;
  readonly violations: readonly string[];
  readonly excused: number;
  readonly kind: string;
  readonly log: readonly string[];
  readonly met: Readonly<Record<string, number>>;
};

const MOST_STEPS = 3000;

/** While the store asks for time, nearly nothing else is to be had of it. */
const STORM: Weather = { ...CALM, refused: 0.9 };

/** One history: a store of some kind, a few jobs and batches, workers, others who write; everything that happens is drawn by the seed. */
export async function runHistory(seed: number): Promise<RunResult> {
  resetClock();
  const random = createRandom(seed);
  const jitter = random.fork("jitter");
  Math.random = () => jitter.next();
  const scene = openScene(drawProfile(random), random);
  const cast = assemble(scene);
  await live(cast);
  const { world, truth, profile, met } = scene;
  const left = `${cast.jobs.left} jobs, ${cast.batches.left} batches`;
  if (world.steps >= MOST_STEPS) truth.complain(`nothing came to its end: ${left}`);
  truth.account();
  cast.workers.end();
  const kind = `versioning ${profile.versioning}, ${JSON.stringify(profile.enforced)}`;
  const { violations, excused } = truth;
  return { seed, steps: world.steps, violations, excused, kind, log: world.log, met };
}

/** Everybody in place: objects are there, two workers, and the first work. */
function assemble(scene: Scene): Cast {
  const jobs = new JobQueue(scene);
  const batches = new BatchQueue(scene);
  const others = new Others(scene);
  const workers = new Workers(scene);
  const producer = new Producer(scene, { jobs, batches });
  others.writeFirst();
  scene.world.jump(scene.profile.age);
  workers.hire();
  workers.hire();
  producer.addFirst();
  return { scene, jobs, batches, workers, others, producer, storm: { until: 0 } };
}

/** Steps until there is nothing more to do, or something was lost, letting everything that is awake run in between. */
async function live(cast: Cast): Promise<void> {
  const { world, truth } = cast.scene;
  const lanes = lanesOf(cast);
  while (world.steps < MOST_STEPS && truth.violations.length === 0 && !hasEnded(cast)) {
    const weather = prepareStep(cast, lanes);
    await awake();
    if (!world.step(weather)) world.jump(1000);
    await awake();
  }
}

type Lanes = { readonly jobs: Lane; readonly batches: Lane };

function lanesOf({ scene, jobs, batches }: Cast): Lanes {
  const batchLane = { scene, queue: batches, store: batchStoreOf(scene.redis, batches) };
  return {
    jobs: { isReady: () => jobs.isReady(), deliver: () => deliverJob(scene, jobs) },
    batches: { isReady: () => batches.isReady(), deliver: () => deliverChunk(batchLane) },
  };
}

const hasNoWork = ({ jobs, batches }: Cast): boolean => jobs.left + batches.left === 0;

const hasEnded = (cast: Cast): boolean => hasNoWork(cast) && cast.producer.isDone && cast.workers.areIdle;

/** What happens between two steps: work comes, something goes wrong, workers take what waits. Says how the next step may go wrong. */
function prepareStep(cast: Cast, lanes: Lanes): Weather {
  const { scene, producer, workers, storm } = cast;
  const { world, random, profile, meet } = scene;
  if (hasNoWork(cast)) producer.addNext();
  const isCalm = world.steps > MOST_STEPS / 2;
  const trouble = isCalm ? undefined : drawTrouble(random, profile.troubles);
  if (trouble !== undefined) {
    meet(trouble);
    troubles[trouble](cast);
  }
  workers.employ(lanes.jobs, lanes.batches);
  if (isCalm) return CALM;
  return elapsed() < storm.until ? STORM : profile.weather;
}

const immediate = setImmediate;
/** All promises that can go on have gone on. */
async function awake(): Promise<void> {
  await new Promise<void>((resolve) => immediate(resolve));
}
