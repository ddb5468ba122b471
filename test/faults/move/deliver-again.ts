import { Redis } from "ioredis";
import type { Stack } from "../../stack.ts";

/** What BullMQ does with a job whose lock ran out. KEYS: active, wait, marker, lock. ARGV: job id. */
const DELIVER_AGAIN = `
if redis.call('LREM', KEYS[1], 0, ARGV[1]) == 0 then return 0 end
redis.call('DEL', KEYS[4])
redis.call('RPUSH', KEYS[2], ARGV[1])
redis.call('ZADD', KEYS[3], 0, '0')
return 1`;

/** Takes an active job's lock away and gives it out once more, at once instead of after 30 s. False where it is not active. */
export async function deliverAgain({ redis, prefix }: Stack, queue: string, jobId: string): Promise<boolean> {
  const client = new Redis(redis.url);
  try {
    const base = `${prefix}:${queue}`;
    const keys = [`${base}:active`, `${base}:wait`, `${base}:marker`, `${base}:${jobId}:lock`];
    return (await client.eval(DELIVER_AGAIN, keys.length, ...keys, jobId)) === 1;
  } finally {
    client.disconnect();
  }
}
