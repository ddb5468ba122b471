import { createRandom } from "../faults/random.ts";
import type { Connection } from "../../credentials/connection.ts";
import { type Actor } from "./actor.ts";
import { createBatches } from "./batches.ts";
import { elapsed, resetClock } from "./clock.ts";
import { createJobs } from "./jobs.ts";
import { createModelRedis } from "./redis.ts";
import { drawProfile, drawTrouble, type Trouble } from "./profile.ts";
import { createModelStore, type Place } from "./store.ts";
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

/** While the store asks for time, nearly nothing else is to be had of it. */
const STORM: Weather = { ...CALM, refused: 0.9 };

/** One history: a store of some kind, a few jobs and batches, workers, others who write; everything that happens is drawn by the seed. */
export async function runHistory(seed: number): Promise<RunResult> {
  resetClock();
  const random = createRandom(seed);
  const jitter = random.fork("jitter");
  Math.random = () => jitter.next();
  const profile = drawProfile(random);
  const { versioning, enforced, weather } = profile;
  const keys = KEYS.slice(0, profile.keys);
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
  const met: Record<string, number> = {};
  const meet = (what: string): void => {
    met[what] = (met[what] ?? 0) + 1;
  };
  const scene = { world, redis: createModelRedis(world), store, truth, connection, meet };
  const jobs = createJobs(scene);
  const batches = createBatches(scene);
  let written = 0;
  const write = (place: Place): void => {
    const now = store.current(place);
    const again = now !== undefined && random.next() < profile.sameBytes;
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
        if (versioning === "suspended" && random.next() < profile.below)
          store.writeVersion({ bucket, key }, `c${++written}/${written}`);
      }
  world.jump(profile.age);

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
    const ended = jobs.ended;
    const before = ended.length > 0 && random.next() < profile.sameId ? random.pick(ended) : undefined;
    const again = before !== undefined && random.next() < profile.sameObject;
    const kind = profile.onlyMoves ? 0 : random.next();
    const key = random.pick(keys);
    const wish = {
      id: before?.id ?? `j${++jobNumber}`,
      activity: kind < 0.75 ? "move-object" : kind < 0.95 ? "copy-object" : "delete-object",
      object: { bucket: from, key },
      destination: { bucket: to, key: random.next() < 0.8 ? key : random.pick(keys) },
      onConflict: random.pick(profile.conflicts),
    } as const;
    const { id, activity, object, destination, onConflict } = wish;
    const data = activity === "delete-object" ? { object } : { object, destination, onConflict };
    const job = again ? before : { id, activity, data };
    world.note(`job ${id}: ${job.activity} ${JSON.stringify(job.data)}`);
    meet(job.activity);
    jobs.add(job);
  };
  const addBatch = ({ from, to }: Way): void => {
    const id = `m${++jobNumber}`;
    const verb = random.pick(profile.verbs);
    const onConflict = random.pick(profile.conflicts);
    world.note(`batch ${id}: ${verb} ${from} to ${to} ${onConflict}`);
    meet(`${verb} of a bucket`);
    batches.add({ id, verb, from, to, onConflict });
  };
  let added = 0;
  const addWork = (): void => {
    const { ways } = profile;
    added += 1;
    const way = ways === "any" ? random.pick(WAYS) : WAYS[ways === "one" || added % 2 === 1 ? 0 : 1];
    if (random.next() < profile.batches) addBatch(way);
    else addJob(way);
  };
  for (let i = 0; i < profile.start; i++) addWork();
  let toCome = profile.more;

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

  let stormUntil = 0;
  const anyone = (): Actor => random.pick(workers);
  const happens: Readonly<Record<Trouble, () => void>> = {
    "more work": () => {
      if (toCome-- > 0) addWork();
    },
    "others write": () => write({ bucket: random.pick(BUCKETS), key: random.pick(keys) }),
    "others delete": () => {
      const place = { bucket: random.pick(BUCKETS), key: random.pick(keys) };
      world.note(`others delete ${place.bucket}/${place.key}`);
      store.delete(place, {}, "owner");
    },
    "a worker dies": () => {
      const worker = anyone();
      if (worker.dead || workers.length > 6) return;
      worker.dead = true;
      busy.delete(worker);
      world.note(`${worker.name} dies`);
      world.bury(worker);
      hire();
    },
    "a lock is lost": () => {
      world.note("a lock is lost");
      truth.disturbed();
      if (random.next() < 0.5) jobs.loseALock();
      else batches.loseALock();
    },
    "Redis goes back": () => {
      scene.redis.goBack();
      truth.forgot();
    },
    "a worker is cut off": () => {
      const worker = anyone();
      worker.cutOffUntil = elapsed() + random.pick([2000, 20_000, 60_000]);
      world.note(`${worker.name} is cut off from Redis`);
    },
    "a clock steps": () => {
      anyone().skew += random.pick([-3_600_000, 60_000, 3_600_000]);
    },
    "batches are cancelled": () => {
      world.note("batches are cancelled");
      batches.cancel();
    },
    "the store asks for time": () => {
      world.note("the store asks for time");
      stormUntil = elapsed() + random.pick([2000, 25_000]);
    },
    "a worker is cut off in a storm": () => {
      const looking = [...busy].filter(world.isLooking);
      if (stormUntil > 0 || looking.length === 0) return;
      const worker = random.pick(looking);
      worker.cutOffUntil = elapsed() + 60_000;
      stormUntil = elapsed() + random.pick([16_000, 20_000, 25_000]);
      world.note(`${worker.name} is cut off from Redis, and the store asks for time`);
      if (random.next() < 0.8) setTimeout(happens["batches are cancelled"], 8000);
    },
    "Redis is saved": () => scene.redis.snapshot(),
  };

  await live(
    world,
    () => {
      if (jobs.left + batches.left === 0 && toCome <= 0 && busy.size === 0) return undefined;
      if (toCome > 0 && jobs.left + batches.left === 0) {
        toCome -= 1;
        addWork();
      }
      const calm = world.steps > MOST_STEPS / 2;
      const trouble = calm ? undefined : drawTrouble(random, profile.troubles);
      if (trouble !== undefined) {
        meet(trouble);
        happens[trouble]();
      }
      employ();
      return calm ? CALM : elapsed() < stormUntil ? STORM : weather;
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
