import type { Worker } from "bullmq";
import type { RedisClient } from "../../redis/connection/client.ts";
import { whenLost } from "../../redis/connection/when-lost.ts";
import { redisKeys } from "../../redis/keys.ts";
import type { TroubleLog } from "../../redis/connection/trouble-log.ts";

type Options = {
  readonly redis: RedisClient;
  readonly prefix: string;
  readonly queue: string;
  readonly trouble: TroubleLog;
};

/** Jobs that are looked at, of those in work. */
const LOOKED_AT = 1000;
const LOOK_EVERY_MS = 2000;
/** After each loss: a lost command is sent again once Redis is back, and the answer to that may be lost as well. */
const LOOKS = 4;

/**
 * Gives back the jobs that Redis gave to this worker in an answer that was lost with its connection. Nobody runs them, their locks keep everybody
 * off for half a minute, and then they count as stalled.
 */
export function giveBackUnheard(worker: Worker, { redis, prefix, queue, trouble }: Options): void {
  const heard = listen(worker);
  const key = (rest: string) => redisKeys(prefix).job(queue, rest);
  const state = { looksLeft: 0, seen: new Set<string>(), timer: undefined as NodeJS.Timeout | undefined };

  /** Those that are locked by this worker without its knowing: `<token> <job id>`. */
  const unheard = async (): Promise<string[]> => {
    const ids = await redis.lrange(key("active"), 0, LOOKED_AT - 1);
    if (ids.length === 0) return [];
    const tokens = await redis.mget(ids.map((id) => key(`${id}:lock`)));
    return ids
      .map((id, index) => `${tokens[index]} ${id}`)
      .filter((run) => run.startsWith(worker.id) && !heard.has(run));
  };
  const look = async () => {
    const found = await unheard();
    // Twice, because one that was given just now may be on its way through this process.
    const lost = found.filter((run) => state.seen.has(run));
    state.seen = new Set(found);
    for (const run of lost) {
      const [token = "", id = ""] = run.split(" ");
      await worker.backend.moveJobFromActiveToWait(id, token);
    }
  };
  const lookAgain = () => {
    state.timer = setTimeout(() => {
      state.looksLeft--;
      look()
        .catch((error: unknown) => trouble(error, "could not look for jobs whose assignment was lost", { queue }))
        .finally(() => {
          state.timer = undefined;
          if (state.looksLeft > 0) lookAgain();
        });
    }, LOOK_EVERY_MS);
  };
  const ignore = whenLost(redis, () => {
    state.looksLeft = LOOKS;
    if (state.timer === undefined) lookAgain();
  });
  worker.once("closing", () => {
    ignore();
    state.looksLeft = 0;
    clearTimeout(state.timer);
  });
}

/** Every run that BullMQ knows of, from the answer that brought it until its end is written: `<token> <job id>`. */
function listen(worker: Worker): ReadonlySet<string> {
  const heard = new Set<string>();
  const read = worker["nextJobFromJobData"].bind(worker);
  worker["nextJobFromJobData"] = async (data, id, token) => {
    if (id) heard.add(`${token} ${id}`);
    return await read(data, id, token);
  };
  const process = worker.processJob.bind(worker);
  worker.processJob = async (job, token, fetchNext) => {
    try {
      return await process(job, token, fetchNext);
    } finally {
      heard.delete(`${token} ${job.id}`);
    }
  };
  return heard;
}
