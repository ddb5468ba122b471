import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { CHUNK_QUEUE } from "../../../jobs/queues.ts";
import type { Random } from "../random.ts";
import { elapse, type Scene, type Trouble } from "./scene.ts";

/** What a stall does: an active job goes back to wait while its worker still runs. KEYS: active, wait, marker. ARGV: prefix of jobs, which. */
const DELIVER_AGAIN = `
local ids = redis.call('LRANGE', KEYS[1], 0, -1)
if #ids == 0 then return 0 end
local id = ids[tonumber(ARGV[2]) % #ids + 1]
redis.call('DEL', ARGV[1] .. id .. ':lock')
redis.call('LREM', KEYS[1], 0, id)
redis.call('RPUSH', KEYS[2], id)
redis.call('ZADD', KEYS[3], 0, '0')
return 1`;

/** Without an end to it, a slow machine would get no chunk done between two of them. */
const MOST = 60;

/** Chunks are delivered twice: locks get lost, running jobs go back to the queue, jobs are added a second time under other ids, and waiting ones vanish. */
export const duplicates: Trouble = async (scene, random) => {
  const { stack, over, figures } = scene;
  const redis = new Redis(stack.redis.url, { maxRetriesPerRequest: 0, enableOfflineQueue: false });
  redis.on("error", () => {}); // Redis dies in some runs; then there is nothing to disturb
  const queue = new Queue(CHUNK_QUEUE, { connection: redis, prefix: stack.prefix, skipWaitingForReady: true });
  queue.on("error", () => {}); // as above
  try {
    for (let times = 0; times < MOST && (await elapse(random.between(300, 1500), over)); times++) {
      try {
        if (await disturb({ scene, redis, queue, random })) figures.duplicates++;
      } catch {
        // Redis is down just now.
      }
    }
  } finally {
    await queue.close();
    redis.disconnect();
  }
};

type Means = { readonly scene: Scene; readonly redis: Redis; readonly queue: Queue; readonly random: Random };

/** False where there was nothing to disturb. */
async function disturb({ scene, redis, queue, random }: Means): Promise<boolean> {
  const base = `${scene.stack.prefix}:${CHUNK_QUEUE}`;
  const batch = scene.batch.id;
  const what = random.pick(["lock", "again", "again", "twice", "open", "vanish"] as const);
  switch (what) {
    case "lock": {
      const [id] = await redis.lrange(`${base}:active`, 0, 0);
      return id !== undefined && (await redis.del(`${base}:${id}:lock`)) === 1;
    }
    case "again": {
      const keys = [`${base}:active`, `${base}:wait`, `${base}:marker`];
      return (await redis.eval(DELIVER_AGAIN, keys.length, ...keys, `${base}:`, random.integer(0, 100))) === 1;
    }
    case "twice": {
      const data = { kind: "chunk", batch, chain: random.integer(0, 7), n: random.integer(0, 4) };
      await add(queue, data, random);
      return true;
    }
    case "open":
      await add(queue, { kind: "open", batch }, random);
      return true;
    case "vanish": {
      const [id] = await redis.zrange(`${base}:prioritized`, "0", "0");
      if (id === undefined) return false;
      return (await queue.remove(id)) === 1;
    }
    default:
      return what satisfies never;
  }
}

async function add(
  queue: Queue,
  data: { readonly kind: string; readonly batch: string },
  random: Random,
): Promise<void> {
  const jobId = `twice-${random.integer(0, 1e9)}`;
  await queue.add(data.kind, data, { jobId, removeOnComplete: true, removeOnFail: true, attempts: 1, priority: 1 });
}
