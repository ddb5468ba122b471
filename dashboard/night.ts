import type { Logger } from "pino";
import { createBatchStore } from "../batches/state/store.ts";
import type { Producer } from "../producer/index.ts";
import type { RedisClient } from "../redis/connection/client.ts";
import { aboutRoutes } from "./api/about-routes.ts";
import { bulkRoutes } from "./api/bulk-routes.ts";
import { problemRoutes } from "./api/problem-routes.ts";
import { profileRoutes } from "./api/profile-routes.ts";
import { scheduleRoutes } from "./api/schedule-routes.ts";
import { searchRoutes } from "./api/search-routes.ts";
import { createBulkRuns } from "./bulk/runs.ts";
import type { BullQueues } from "./bull-queues.ts";
import type { DashboardSettings } from "./config.ts";
import type { ApiRoute } from "./http/route.ts";
import { createProblems } from "./problems/read.ts";
import { createSchedules, scheduleProblems } from "./schedules/read.ts";
import type { BatchViews } from "./watch/batch-views.ts";
import { keptFor } from "./watch/kept-for.ts";
import type { RedisClock } from "./watch/redis-clock.ts";
import type { Overview } from "./watch/overview.ts";

type NightDeps = {
  readonly config: DashboardSettings;
  readonly redis: RedisClient;
  readonly clock: RedisClock;
  readonly producer: Producer;
  readonly queues: BullQueues;
  readonly views: BatchViews;
  readonly overview: { read(): Promise<Overview> };
  readonly log: Logger;
};

/** What answers whoever is called at night. */
export type Night = {
  readonly routes: readonly ApiRoute[];
  /** The overview, with how many problems are open. */
  readonly glance: { read(): Promise<Overview & { readonly problems: number }> };
  /** Ends actions on many things. */
  close(): Promise<void>;
};

/** However many look at the overview, it is put together so often at most. */
const GLANCE_MS = 900;
/** Their number takes a look at much more than the rest, and moves slowly. */
const PROBLEMS_MS = 5000;

/** Puts together what finds out what is broken, since when and whose it is, and what acts on it. */
export function createNight({ config, redis, clock, producer, queues, views, overview, log }: NightDeps): Night {
  const { prefix } = config;
  const { batches } = producer;
  const store = createBatchStore(redis, prefix);
  const schedules = createSchedules({ redis, prefix, queues, store });
  const others = [async () => scheduleProblems(await schedules.list())];
  const problems = createProblems({ redis, prefix, clock, store, overview, others });
  const runs = createBulkRuns(log);
  const countProblems = keptFor(PROBLEMS_MS, () => problems.count());
  return {
    routes: [
      ...problemRoutes({ problems }),
      ...bulkRoutes({ redis, prefix, producer, batches, queues, problems, runs }),
      ...aboutRoutes(config),
      ...profileRoutes({ redis, prefix, producer }),
      ...scheduleRoutes({ redis, prefix, queues, producer, schedules }),
      ...searchRoutes({ redis, prefix, store, views }),
    ],
    glance: {
      read: keptFor(GLANCE_MS, async () => {
        const [all, open] = await Promise.all([overview.read(), countProblems()]);
        return { ...all, problems: open };
      }),
    },
    close: () => runs.close(),
  };
}
