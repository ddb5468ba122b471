import { createRandom } from "../faults/random.ts";
import type { Connection } from "../../credentials/connection.ts";
import { type Actor } from "./actor.ts";
import { createBatches, type Verb } from "./batches.ts";
import { elapsed, resetClock } from "./clock.ts";
import { createJobs } from "./jobs.ts";
import { createModelRedis } from "./redis.ts";
import { createModelStore, type Enforced, type Place, type Versioning } from "./store.ts";
import { createTruth } from "./truth.ts";
import { CALM, createWorld, type Weather, type World } from "./world.ts";

export type RunResult = {
  readonly seed: number;
  readonly steps: number;
  readonly violations: readonly string[];
  readonly excused: number;
  readonly kind: string;
  readonly log: readonly string[];
  readonly met: Readonly<Record<string, number>>;
};

const BUCKETS = ["a", "b"] as const;
const KEYS = ["k1", "k2", "k3"] as const;
const MOST_STEPS = 3000;
const WAYS = [
  { from: "a", to: "b" },
  { from: "b", to: "a" },
] as const;
type Way = (typeof WAYS)[number];

const ENFORCED: readonly Enforced[] = [
  { copySource: true, write: true, delete: true, multiDelete: true },
  { copySource: false, write: false, delete: false, multiDelete: false },
  { copySource: true, write: false, delete: false, multiDelete: false },
  { copySource: true, write: true, delete: false, multiDelete: false },
];

/** One history: a store of some kind, a few jobs and batches, workers, others who write; everything that happens is drawn by the seed. */
export async function runHistory(seed: number): Promise<RunResult> {
  resetClock();
  const random = createRandom(seed);
  const jitter = random.fork("jitter");
  Math.random = () => jitter.next();
  // Few objects and much trouble meet more often.
  const keys = KEYS.slice(0, random.pick([1, 2, 3]));
  const dense = random.pick([1, 1, 3]);
  const crossing = random.next() < 0.4;
  const versioning = random.pick<Versioning>(["off", "off", "on", "suspended"]);
  const enforced = random.pick(ENFORCED);
  const world = createWorld(random);
  const truth = createTruth({ versioning, enforced });
  const store = createModelStore({ versioning, enforced, witness: truth.witness, keys: KEYS });
  truth.watch(store);
  const connection: Connection = {
    name: "default",
    credentials: () => Promise.reject(new Error("the model signs nothing")),
    region: "us-east-1",
    endpoint: "http://model.test",
    pathStyle: true,
    checksums: "when-required",
    conditionalDelete: enforced.delete,
    conditionalCopy: enforced.copySource,
    conditionalWrite: enforced.write,
    multipartThreshold: 1024 ** 3,
  };
  const scene = { world, redis: createModelRedis(world), store, truth, connection };
  const jobs = createJobs(scene);
  const batches = createBatches(scene);
  const met: Record<string, number> = {};
  const meet = (what: string): void => {
    met[what] = (met[what] ?? 0) + 1;
  };
  let written = 0;
  const write = (place: Place): void => {
    const now = store.current(place);
    const again = now !== undefined && random.next() < 0.4;
    written += 1;
    const bytes = again ? (now.payload.split("/")[0] ?? "") : `c${written}`;
    meet(again ? "rewritten with the same bytes" : "written by others");
    world.note(`others write ${bytes}/${written} to ${place.bucket}/${place.key}`);
    store.write(place, `${bytes}/${written}`, "owner");
  };
  for (const bucket of BUCKETS)
    for (const key of keys)
      if (bucket === "a" || random.next() < 0.3) {
        store.write({ bucket, key }, `c${++written}/${written}`, "owner");
        if (versioning === "suspended" && random.next() < 0.4)
          store.writeVersion({ bucket, key }, `c${++written}/${written}`);
      }
  world.jump(random.pick([500, 3000, 200_000]));

  const workers: Actor[] = [];
  const busy = new Set<Actor>();
  const hire = (): void => {
    const skew = random.next() < 0.2 ? random.pick([-3_600_000, 3_600_000, 1500]) : 0;
    workers.push({ name: `w${workers.length + 1}`, dead: false, skew, cutOffUntil: 0 });
  };
  hire();
  hire();

  let jobNumber = 0;
  const addJob = ({ from, to }: Way): void => {
    const key = random.pick(keys);
    const ended = jobs.endedIds;
    const id = ended.length > 0 && random.next() < 0.25 ? random.pick(ended) : `j${++jobNumber}`;
    const kind = random.next();
    const object = { bucket: from, key };
    const destination = { bucket: to, key: random.next() < 0.8 ? key : random.pick(keys) };
    const onConflict = random.pick(["overwrite", "overwrite", "fail", "skip", "skip-identical"]);
    const activity = kind < 0.75 ? "move-object" : kind < 0.95 ? "copy-object" : "delete-object";
    world.note(`job ${id}: ${activity} ${from}/${key} to ${to}/${destination.key} ${onConflict}`);
    meet(activity);
    jobs.add({ id, activity, data: activity === "delete-object" ? { object } : { object, destination, onConflict } });
  };
  const addBatch = ({ from, to }: Way): void => {
    const id = `m${++jobNumber}`;
    const verb = random.pick<Verb>(["move", "move", "move", "copy", "delete"]);
    const onConflict = random.pick(["overwrite", "overwrite", "fail", "skip", "skip-identical"]);
    world.note(`batch ${id}: ${verb} ${from} to ${to} ${onConflict}`);
    meet(`${verb} of a bucket`);
    batches.add({ id, verb, from, to, onConflict });
  };
  const addWork = (way: Way = random.pick(WAYS)): void => {
    if (random.next() < 0.3) addBatch(way);
    else addJob(way);
  };
  const start = random.integer(1, 3);
  for (let i = 0; i < start; i++) addWork(crossing ? WAYS[i % 2] : undefined);
  let toCome = random.integer(0, 3);

  const employ = (): void => {
    for (const worker of workers) {
      if (worker.dead || busy.has(worker)) continue;
      const source = random.next() < 0.5 ? jobs : batches;
      if (!source.isReady()) continue;
      busy.add(worker);
      void source
        .work(worker)
        .catch((error: unknown) =>
          truth.complain(`a worker fell over: ${error instanceof Error ? (error.stack ?? "") : String(error)}`),
        )
        .finally(() => busy.delete(worker));
    }
  };

  const trouble = (): void => {
    const dice = random.next() / dense;
    if (dice < 0.03 && toCome > 0) {
      toCome -= 1;
      addWork();
    } else if (dice < 0.05) write({ bucket: random.pick(BUCKETS), key: random.pick(keys) });
    else if (dice < 0.06) {
      const worker = random.pick(workers);
      if (worker.dead || workers.length > 6) return;
      worker.dead = true;
      busy.delete(worker);
      world.note(`${worker.name} dies`);
      meet("workers died");
      world.bury(worker);
      hire();
    } else if (dice < 0.065) {
      world.note("a lock is lost");
      meet("locks lost");
      if (random.next() < 0.5) jobs.loseALock();
      else batches.loseALock();
    } else if (dice < 0.07) {
      meet("Redis went back");
      scene.redis.goBack();
      truth.forgot();
    } else if (dice < 0.075) {
      const worker = random.pick(workers);
      worker.cutOffUntil = elapsed() + random.pick([2000, 20_000, 60_000]);
      world.note(`${worker.name} is cut off from Redis`);
      meet("cut off from Redis");
    } else if (dice < 0.08) {
      const worker = random.pick(workers);
      worker.skew += random.pick([-3_600_000, 60_000, 3_600_000]);
      meet("clock steps");
    } else if (dice < 0.083) {
      meet("batches cancelled");
      world.note("batches are cancelled");
      batches.cancel();
    } else if (dice < 0.1) scene.redis.snapshot();
  };

  const weather: Weather = random.pick([
    CALM,
    { lost: 0.05, refused: 0.03, late: 0.05 },
    { lost: 0.15, refused: 0.1, late: 0.1 },
  ]);
  await live(
    world,
    () => {
      if (jobs.left + batches.left + toCome === 0 && busy.size === 0) return undefined;
      if (toCome > 0 && jobs.left + batches.left === 0) {
        toCome -= 1;
        addWork();
      }
      const calm = world.steps > MOST_STEPS / 2;
      if (!calm) trouble();
      employ();
      return calm ? CALM : weather;
    },
    truth.violations,
  );
  if (world.steps >= MOST_STEPS) truth.complain(`nothing came to its end: ${jobs.left} jobs, ${batches.left} batches`);
  truth.account();
  for (const worker of workers) worker.dead = true;
  const kind = `versioning ${versioning}, ${JSON.stringify(enforced)}`;
  return { seed, steps: world.steps, violations: truth.violations, excused: truth.excused, kind, log: world.log, met };
}

/** Steps until there is nothing more to do, letting everything that is awake run in between. */
async function live(world: World, next: () => Weather | undefined, violations: readonly string[]): Promise<void> {
  while (world.steps < MOST_STEPS && violations.length === 0) {
    const weather = next();
    if (weather === undefined) return;
    await awake();
    if (!world.step(weather)) world.jump(1000);
    await awake();
  }
}

const immediate = setImmediate;
/** All promises that can go on have gone on. */
async function awake(): Promise<void> {
  await new Promise<void>((resolve) => immediate(resolve));
}
