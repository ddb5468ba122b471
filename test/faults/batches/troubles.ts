import type { TroubleName } from "./run.ts";
import { duplicates } from "./duplicate-deliveries.ts";
import { overwrites } from "./overwrites.ts";
import { elapse, type Scene, type Trouble, untilMoved } from "./scene.ts";
import { errors, resets, stalls, storms } from "./store-troubles.ts";

const seconds = (count: number): number => count * 1000;

/** Every 2 to 5 s one worker dies, and another takes its place. */
const kills: Trouble = async ({ crew, figures, over }, random) => {
  while (await elapse(random.between(seconds(2), seconds(5)), over)) {
    await crew.replace(random);
    figures.kills++;
  }
};

/** Redis dies and comes back, up to three times, with all that it had acknowledged. */
const redis: Trouble = async ({ stack, figures, over }, random) => {
  for (let times = 0; times < 3 && (await elapse(random.between(seconds(2), seconds(6)), over)); times++) {
    await stack.redis.kill();
    await elapse(random.between(200, seconds(2)), over);
    await stack.redis.restart();
    figures.redisRestarts++;
  }
};

/** Paused, at rest for a while, resumed. Where no worker dies meanwhile, nothing may be copied 2 s after the pause. */
const pauses: Trouble = async (scene, random) => {
  const { batch, stack, run, figures, over, problems } = scene;
  const calm = !run.troubles.includes("kills") && !run.troubles.includes("redis");
  for (let times = 0; times < 3 && (await elapse(random.between(seconds(1), seconds(4)), over)); times++) {
    if ((await batch.pause()) === "completed") return;
    figures.pauses++;
    await elapse(seconds(3), over);
    const before = stack.sandbox.count(scene.goods.to);
    await elapse(random.between(500, seconds(1.5)), over);
    const after = stack.sandbox.count(scene.goods.to);
    if (calm && after > before) problems.push(`${after - before} objects arrived 3 s after a pause`);
    await batch.resume();
  }
};

/** A worker is added when a third is done. */
const lateWorker: Trouble = async (scene) => {
  if (await untilMoved(scene, scene.run.objects / 3)) await scene.crew.hire();
};

/** All workers die at once, twice; nobody works for a while, and then as many come back. */
const allDead: Trouble = async (scene, random) => {
  const { crew, figures, over } = scene;
  for (const share of [0.2, 0.6]) {
    if (!(await untilMoved(scene, scene.run.objects * share))) return;
    const count = await crew.killAll();
    figures.kills += count;
    await elapse(random.between(seconds(1), seconds(5)), over);
    await Promise.all(Array.from({ length: count }, () => crew.hire()));
  }
};

/** Cancelled when about half is done: nothing is deleted 3 s later. */
const cancel: Trouble = async (scene, random) => {
  const { batch, stack, goods, problems } = scene;
  if (!(await untilMoved(scene, scene.run.objects * random.between(0.3, 0.7)))) return;
  await batch.cancel();
  const deletes = () => stack.sandbox.count(goods.from);
  await elapse(seconds(3), scene.over);
  const left = deletes();
  await elapse(seconds(5), scene.over);
  if (deletes() < left) problems.push(`${left - deletes()} sources were deleted 3 s after a cancel`);
};

export const TROUBLES = {
  kills,
  redis,
  storms,
  resets,
  errors,
  stalls,
  overwrites,
  duplicates,
  pauses,
  "late worker": lateWorker,
  "all dead": allDead,
  cancel,
} as const satisfies Record<TroubleName, Trouble>;

/** All troubles of a run at once; resolves when the batch is over and all that they planted is gone. */
export async function befall(scene: Scene, random: { fork(name: string): Parameters<Trouble>[1] }): Promise<void> {
  const names: readonly TroubleName[] = scene.run.troubles;
  await Promise.all(names.map((name) => TROUBLES[name](scene, random.fork(name))));
}
