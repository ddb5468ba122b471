import { bytesOf, type Place } from "../generation.ts";
import { BUCKETS, type Scene } from "../scene.ts";

/** Everybody outside, who writes and deletes what workers work on. */
export class Others {
  readonly #scene: Scene;
  #written = 0;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** What is there before anything begins: all keys of the first bucket, and some of the other. */
  writeFirst(): void {
    const { store, profile, random, keys } = this.#scene;
    for (const bucket of BUCKETS)
      for (const key of keys) {
        if (bucket !== "a" && random.next() >= 0.3) continue;
        store.write({ bucket, key }, this.#content(), "owner");
        if (profile.versioning === "suspended" && random.next() < profile.below)
          store.writeVersion({ bucket, key }, this.#content());
      }
  }

  /** Something new, or the same bytes with other metadata. */
  write(): void {
    const { store, profile, random, world, meet } = this.#scene;
    const place = this.#anywhere();
    const now = store.current(place);
    const again = now !== undefined && random.next() < profile.sameBytes;
    const payload = this.#content(again ? bytesOf(now.payload) : undefined);
    meet(again ? "rewritten with the same bytes" : "written by others");
    world.note(`others write ${payload} to ${place.bucket}/${place.key}`);
    store.write(place, payload, "owner");
  }

  delete(): void {
    const place = this.#anywhere();
    this.#scene.world.note(`others delete ${place.bucket}/${place.key}`);
    this.#scene.store.delete(place, {}, "owner");
  }

  /** Unlike any other; bytes of its own where none are given. */
  #content(bytes?: string): string {
    const n = ++this.#written;
    return `${bytes ?? `c${n}`}/${n}`;
  }

  #anywhere(): Place {
    const { random, keys } = this.#scene;
    return { bucket: random.pick(BUCKETS), key: random.pick(keys) };
  }
}
