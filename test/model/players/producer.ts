import type { BatchQueue } from "../lanes/batch-queue.ts";
import type { JobQueue, JobWish } from "../lanes/job-queue.ts";
import type { Scene } from "../scene.ts";

const WAYS = [
  { from: "a", to: "b" },
  { from: "b", to: "a" },
] as const;
type Way = (typeof WAYS)[number];

/** Adds jobs and batches: some at the start, more later. */
export class Producer {
  readonly #scene: Scene;
  readonly #jobs: JobQueue;
  readonly #batches: BatchQueue;
  #toCome: number;
  #added = 0;
  #ids = 0;

  constructor(scene: Scene, queues: { readonly jobs: JobQueue; readonly batches: BatchQueue }) {
    this.#scene = scene;
    this.#jobs = queues.jobs;
    this.#batches = queues.batches;
    this.#toCome = scene.profile.more;
  }

  get isDone(): boolean {
    return this.#toCome === 0;
  }

  addFirst(): void {
    for (let i = 0; i < this.#scene.profile.start; i++) this.#add();
  }

  /** What is still to come of this history's work, one by one. */
  addNext(): void {
    if (this.#toCome === 0) return;
    this.#toCome -= 1;
    this.#add();
  }

  #add(): void {
    const { random, profile } = this.#scene;
    const way = this.#nextWay();
    if (random.next() < profile.batches) this.#addBatch(way);
    else this.#addJob(way);
  }

  #nextWay(): Way {
    const { random, profile } = this.#scene;
    this.#added += 1;
    if (profile.ways === "any") return random.pick(WAYS);
    return WAYS[profile.ways === "one" || this.#added % 2 === 1 ? 0 : 1];
  }

  #addBatch({ from, to }: Way): void {
    const { random, profile, world, meet } = this.#scene;
    const id = `m${++this.#ids}`;
    const verb = random.pick(profile.verbs);
    const onConflict = random.pick(profile.conflicts);
    world.note(`batch ${id}: ${verb} ${from} to ${to} ${onConflict}`);
    meet(`${verb} of a bucket`);
    this.#batches.add({ id, verb, from, to, onConflict });
  }

  #addJob(way: Way): void {
    const { world, meet } = this.#scene;
    const job = this.#drawJob(way);
    world.note(`job ${job.id}: ${job.activity} ${JSON.stringify(job.data)}`);
    meet(job.activity);
    this.#jobs.add(job);
  }

  /** Some jobs come again with the id of one that has ended, of those some with the same work. */
  #drawJob(way: Way): JobWish {
    const { random, profile } = this.#scene;
    const { ended } = this.#jobs;
    const before = ended.length > 0 && random.next() < profile.sameId ? random.pick(ended) : undefined;
    const again = before !== undefined && random.next() < profile.sameObject;
    const work = this.#drawWork(way, before?.id);
    return again ? before : work;
  }

  #drawWork({ from, to }: Way, usedId: string | undefined): JobWish {
    const { random, profile, keys } = this.#scene;
    const activity = this.#drawActivity();
    const key = random.pick(keys);
    const id = usedId ?? `j${++this.#ids}`;
    const object = { bucket: from, key };
    const destination = { bucket: to, key: random.next() < 0.8 ? key : random.pick(keys) };
    const onConflict = random.pick(profile.conflicts);
    return { id, activity, data: activity === "delete-object" ? { object } : { object, destination, onConflict } };
  }

  #drawActivity(): JobWish["activity"] {
    const { random, profile } = this.#scene;
    if (profile.onlyMoves) return "move-object";
    const kind = random.next();
    if (kind < 0.75) return "move-object";
    return kind < 0.95 ? "copy-object" : "delete-object";
  }
}
