import type { HookCall } from "../../../sandbox/index.ts";
import type { Moment } from "./run.ts";
import type { Item } from "./goods.ts";
import { elapse, type Scene, type Trouble } from "./scene.ts";

/** Objects that somebody overwrites, for each moment of the run. */
const EACH = 60;
const ARRIVALS = 20;

/** Somebody else writes to the source: at chosen moments of chosen objects, and new ones come. */
export const overwrites: Trouble = async (scene, random) => {
  const { run, goods, over } = scene;
  const candidates = [...goods.items.values()].filter(({ refused }) => !refused);
  const chosen = random.sample(candidates, EACH * run.moments.length);
  const plans = new Map<Moment, Item[]>(
    run.moments.map((moment, index) => [moment, chosen.slice(index * EACH, (index + 1) * EACH)]),
  );
  const removers = [
    atCopy(scene, "before", plans.get("before the copy") ?? []),
    atCopy(scene, "after", plans.get("after the copy") ?? []),
    atDelete(scene, "before", plans.get("before the delete") ?? []),
    atDelete(scene, "after", plans.get("after the delete") ?? []),
  ];
  const anyTime = [...(plans.get("any time") ?? [])];
  let arrivals = 0;
  try {
    while (await elapse(random.between(20, 300), over)) {
      const item = anyTime.shift();
      if (item !== undefined) overwrite(scene, item);
      if (arrivals++ < ARRIVALS) goods.arrive();
    }
  } finally {
    for (const remove of removers) remove();
  }
};

function overwrite({ goods, figures }: Scene, item: Item): void {
  if (goods.overwrite(item)) figures.overwrites++;
}

/** What brings an object to its destination, by any route. */
const ARRIVING = ["CopyObject", "PutObject", "CompleteMultipartUpload"] as const;

function atCopy(scene: Scene, when: "before" | "after", items: readonly Item[]): () => void {
  const byTarget = new Map(items.map((item) => [item.target, item]));
  const hook = ({ bucket, key }: HookCall) => {
    const item = bucket === scene.goods.to ? byTarget.get(key) : undefined;
    if (item !== undefined) overwrite(scene, item);
  };
  const removers = ARRIVING.map((operation) => scene.stack.sandbox[when](operation, hook));
  return () => removers.forEach((remove) => remove());
}

/** With the first request to delete after its copy is there, whether or not that names this very object. */
function atDelete(scene: Scene, when: "before" | "after", items: readonly Item[]): () => void {
  const { stack, goods } = scene;
  const waiting = new Set(items);
  return stack.sandbox[when]("DeleteObjects", ({ bucket }) => {
    if (bucket !== goods.from) return;
    for (const item of waiting) {
      const deleted = stack.sandbox.object(goods.from, item.key) === undefined;
      const copied = stack.sandbox.object(goods.to, item.target) !== undefined;
      if (when === "before" ? !copied || deleted : !deleted) continue;
      waiting.delete(item);
      overwrite(scene, item);
    }
  });
}
