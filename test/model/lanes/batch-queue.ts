import { manifestOfListing } from "../../../batches/state/chunk-manifest.ts";
import type { Delivery } from "../../../batches/state/chunk-store.ts";
import { placesOf, rangesOf } from "../../../batches/state/ranges.ts";
import { parseBatchSpec } from "../../../batches/spec/request.ts";
import type { S3Object } from "../../../model/entities.ts";
import { elapsed } from "../clock.ts";
import type { Scene } from "../scene.ts";
import { type Batch, newBatch, type Verb } from "./batch.ts";

export const LOCK_MS = 15_000;
/** For so long nobody moves the other way after a delete without an answer. */
const CUT_OFF_MS = 30_000;
const ENDED: readonly string[] = ["completed", "cancelled", "failed"];
const NOT_WORKED_ON: readonly string[] = [...ENDED, "paused"];

export type BatchWish = {
  readonly id: string;
  readonly verb: Verb;
  readonly from: string;
  readonly to: string;
  readonly onConflict: string;
};

/** A batch whose chunk a delivery has, until its lock runs out. */
export type TakenChunk = { readonly batch: Batch; readonly token: string };

/** What the queue and the scripts of batches do, as far as it matters here: who may work on a batch's chunk, and what is known of it. */
export class BatchQueue {
  readonly #scene: Scene;
  readonly #batches = new Map<string, Batch>();
  #deliveries = 0;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  add({ id, verb, from, to, onConflict }: BatchWish): void {
    const spec = parseBatchSpec({
      operation: verb,
      source: { bucket: from },
      ...(verb !== "delete" && { destination: { bucket: to }, onConflict }),
    });
    const end = { connection: this.#scene.connection };
    const ranges = rangesOf(spec, { source: end, destination: end }, placesOf(spec, []));
    this.#batches.set(id, newBatch(id, spec, ranges));
  }

  find(id: string): Batch | undefined {
    return this.#batches.get(id);
  }

  get left(): number {
    return [...this.#batches.values()].filter(({ state }) => !ENDED.includes(state)).length;
  }

  isReady(): boolean {
    return this.#ready().length > 0;
  }

  cancel(): void {
    for (const batch of this.#batches.values()) if (batch.state === "running") batch.state = "cancelling";
  }

  /** Another worker may have a chunk that this one still works on. */
  loseALock(): void {
    for (const batch of this.#batches.values()) batch.lockedUntil = 0;
  }

  /** Gives the chunk of one of the batches that wait to a delivery. */
  take(): Promise<TakenChunk | undefined> {
    return this.#scene.redis.ask("take a chunk", () => {
      const ready = this.#ready();
      if (ready.length === 0) return undefined;
      const batch = this.#scene.world.random.pick(ready);
      batch.lockedUntil = elapsed() + LOCK_MS;
      batch.token = `b${++this.#deliveries}`;
      return { batch, token: batch.token };
    });
  }

  /** Whether the delivery has it still. */
  renew({ batch, token }: TakenChunk): Promise<boolean> {
    return this.#scene.redis.ask("renew a chunk's lock", () => {
      if (batch.token !== token || batch.lockedUntil <= elapsed()) return false;
      batch.lockedUntil = elapsed() + LOCK_MS;
      return true;
    });
  }

  giveBack({ batch, token }: TakenChunk, delay: number): Promise<void> {
    return this.#scene.redis.ask("give a chunk back", () => {
      if (batch.token !== token) return;
      batch.lockedUntil = 0;
      batch.delayedUntil = elapsed() + delay;
    });
  }

  /** Keeps what was listed first. */
  commit(batch: Batch, bucket: string, objects: readonly S3Object[]): Promise<void> {
    return this.#scene.redis.ask("commit", () => {
      if (batch.manifest !== undefined) return;
      batch.manifest = manifestOfListing(bucket, objects);
      for (const { key, etag } of objects) {
        const now = this.#scene.store.current({ bucket, key });
        if (now?.etag === etag) batch.pinned.set(key, now.id);
      }
    });
  }

  begin(batch: Batch): Promise<Delivery> {
    return this.#scene.redis.ask("begin", () => {
      // As BullMQ's stalled counter tells: whoever had it before did not give it back.
      if (batch.busy) batch.cutOffAt = elapsed();
      batch.delivery += 1;
      batch.owner = `1.${batch.delivery}.n${this.#deliveries}`;
      batch.busy = true;
      return {
        ref: { batch: batch.id, chain: 0, n: 0 },
        owner: batch.owner,
        state: batch.state,
        manifest: Buffer.alloc(0),
        conflicts: batch.remembered.get("x"),
        checkpoints: [...batch.groups],
      };
    });
  }

  fail(batch: Batch): Promise<void> {
    return this.#scene.redis.ask("fail the batch", () => {
      batch.state = "failing";
    });
  }

  noteCutOff(batch: Batch): Promise<void> {
    return this.#scene.redis.ask("note what is cut off", () => {
      batch.cutOffAt = elapsed();
    });
  }

  isCutOff(id: string): Promise<boolean> {
    return this.#scene.redis.ask("is cut off", () => elapsed() - (this.find(id)?.cutOffAt ?? -Infinity) < CUT_OFF_MS);
  }

  #ready(): Batch[] {
    return [...this.#batches.values()].filter(
      ({ state, lockedUntil, delayedUntil }) =>
        !NOT_WORKED_ON.includes(state) && lockedUntil <= elapsed() && delayedUntil <= elapsed(),
    );
  }
}
