import { ActivityError } from "../../model/activity-error.ts";
import type { RedisClient } from "../connection/client.ts";

/** Of so many questions the one that was answered fastest tells most. */
const QUESTIONS = 3;
/** Below it is as good as none: no more than the way to Redis may take. */
const NOTICED_MS = 1000;

/** How far `Date.now()` is ahead of Redis' clock, in milliseconds; negative where it is behind. */
export async function measureSkew(redis: RedisClient): Promise<number> {
  let best = { way: Number.POSITIVE_INFINITY, skew: 0 };
  for (let question = 0; question < QUESTIONS; question += 1) {
    const asked = performance.now();
    const [seconds = 0, micros = 0] = (await redis.time()).map(Number);
    const way = performance.now() - asked;
    if (way < best.way) best = { way, skew: Date.now() - way / 2 - (seconds * 1000 + micros / 1000) };
  }
  return Math.round(best.skew);
}

type Options = {
  /** `refuse`: throws `ClockSkewed` where the clock is off by more than this many milliseconds. */
  readonly boundMs: number;
  /** Set the clock of this process right, rather than refuse one that is noticeably off. Only for a process that is ours. */
  readonly correct: boolean;
  /** Told how far the clock was off, where it was noticeably so. */
  readonly onSkew: (skewMs: number) => void;
};

/**
 * Everything that is written to Redis is by Redis' clock: when a delayed job is due, when a result expires, what counts as alive. BullMQ takes the time from
 * `Date.now()`, so a worker process whose clock is off gets a `Date.now()` that is right. A library does not touch the clock of the app that it runs in,
 * and refuses.
 */
export async function followRedisClock(redis: RedisClient, { boundMs, correct, onSkew }: Options): Promise<void> {
  const skew = await measureSkew(redis);
  if (Math.abs(skew) <= NOTICED_MS) return;
  if (Math.abs(skew) > boundMs)
    throw new ActivityError(
      "ClockSkewed",
      `expected this machine's clock to be that of Redis, it is ${Math.abs(skew)} ms ${skew > 0 ? "ahead" : "behind"}: set it by NTP`,
    );
  onSkew(skew);
  if (!correct) return;
  const own = Date.now.bind(Date);
  Date.now = () => own() - skew;
}
