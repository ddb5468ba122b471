import type { Queue } from "bullmq";
import type { ActivityName } from "../../jobs/contracts.ts";
import { CANCEL_TTL_S } from "../../jobs/queues.ts";
import { type RedisKeys } from "../../redis/keys.ts";
import { birthOf } from "../../redis/health/birth.ts";
import { loadScript } from "../../redis/scripts/load.ts";
import { replyText, runScript } from "../../redis/scripts/run.ts";
import type { CancelFlag } from "./outcome.ts";
import type { QueuePool } from "../queue-pool.ts";
import type { RedisConnection } from "../../redis/connection/open.ts";

const UNSTARTED: CancelFlag = "unstarted";
const RUNNING: CancelFlag = "running";

const flagCancelled = loadScript(new URL("./scripts/flag-cancelled.lua", import.meta.url), {
  keys: ["flag", "job", "lock", "active"],
  args: ["id", "ttl", "unstarted", "running"],
});

/** Cancels a job wherever it is. False where it ended already or is not there; then nothing is changed. */
export async function cancelJob(
  context: { readonly redis: RedisConnection; readonly queues: QueuePool; readonly keys: RedisKeys },
  activity: ActivityName,
  id: string,
): Promise<boolean> {
  const { redis, queues, keys } = context;
  return await redis.run(`cancel ${activity}/${id}`, async (client) => {
    const job = keys.job(activity, id);
    const flag = await runScript(
      client,
      flagCancelled,
      { flag: keys.cancelled(activity, id), job, lock: `${job}:lock`, active: keys.job(activity, "active") },
      { id, ttl: CANCEL_TTL_S, unstarted: UNSTARTED, running: RUNNING },
    );
    if (flag === null) return false;
    await client.publish(keys.cancelChannel(), `${activity}/${id}`);
    // A running job is its worker's to end. Of the others nothing but the flag decides, so what became of the removal does not matter:
    // a job that a worker takes up in this moment ends as cancelled.
    if (replyText(flag) !== UNSTARTED) return true;
    const queue = await queues.get(activity);
    // What an attempt left in the store is a worker's to remove: it takes the job once more, and finds the flag.
    if (await hasUpload(client, keys, { activity, id })) await hasten(queue, id);
    else await remove(queue, id);
    return true;
  });
}

async function hasUpload(
  client: RedisConnection["client"],
  keys: RedisKeys,
  { activity, id }: { readonly activity: ActivityName; readonly id: string },
): Promise<boolean> {
  const [timestamp, data] = await client.hmget(keys.job(activity, id), "timestamp", "data");
  if (!timestamp || !data) return false;
  const birth = birthOf({ timestamp: Number(timestamp), data: JSON.parse(data) });
  // A number, or on an app's own connection maybe the text of one.
  return String(await client.hexists(keys.evidence(activity, id, birth), "upload")) === "1";
}

async function hasten(queue: Queue, id: string): Promise<void> {
  const job = await queue.getJob(id);
  // One that a worker has taken up meanwhile, or that waits already, needs no help.
  if ((await job?.isDelayed()) === true) await job?.promote().catch(() => {});
}

async function remove(queue: Queue, id: string): Promise<void> {
  try {
    await queue.remove(id);
  } catch (error) {
    // The next job of a schedule cannot be removed without the schedule; it stays and ends as cancelled when its time has come.
    if (!(error instanceof Error && /job scheduler/i.test(error.message))) throw error;
  }
}
