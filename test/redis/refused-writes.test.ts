import { Redis } from "ioredis";
import { expect, onTestFinished, test, vi } from "vitest";
import { startRedis } from "../../sandbox/index.ts";
import { observeWorker } from "./observed-worker.ts";
import { startReplicated } from "../redis-replica.ts";

/** How long is counted, in seconds. */
const FOR_S = 5;

/** What keeps Redis from taking writes, and what mends it. */
const REFUSALS = {
  "it became a replica": {
    begin: async (admin: Redis) => {
      const { master } = await startReplicated();
      await admin.replicaof("127.0.0.1", Number(new URL(master.url).port));
    },
    end: (admin: Redis) => admin.replicaof("NO", "ONE"),
  },
  "it is full": {
    begin: (admin: Redis) => admin.config("SET", "maxmemory", "1"),
    end: (admin: Redis) => admin.config("SET", "maxmemory", "0"),
  },
  "its user lost his rights": {
    begin: (admin: Redis) => admin.call("ACL", "SETUSER", "app", "-set", "-evalsha", "-eval", "-bzpopmin"),
    end: (admin: Redis) => admin.call("ACL", "SETUSER", "app", "+@all"),
  },
} as const;

test.each(Object.entries(REFUSALS))(
  "an idle worker whose Redis refuses writes says so in a few lines and asks seldom, and goes on by itself: %s",
  async (_name, { begin, end }) => {
    const redis = await startRedis();
    const admin = new Redis(redis.url);
    onTestFinished(async () => {
      admin.disconnect();
      await redis.stop();
    });
    const warnings: string[] = [];
    const onWarning = ({ message }: Error) => void warnings.push(message);
    process.on("warning", onWarning);
    onTestFinished(() => void process.off("warning", onWarning));
    await admin.call("ACL", "SETUSER", "app", "on", ">secret", "~*", "&*", "+@all");
    const worker = await observeWorker({ redis: redis.url.replace("://", "://app:secret@") });
    await worker.started;
    await begin(admin);
    await vi.waitFor(async () => expect(await worker.probe("/readyz")).toBe(503), 20_000);
    const processed = async () => Number(/total_commands_processed:(\d+)/.exec(await admin.info("stats"))?.[1]);
    const [lines, commands] = [worker.lines.length, await processed()];
    await new Promise((resolve) => setTimeout(resolve, FOR_S * 1000));
    expect(worker.lines.length - lines).toBeLessThanOrEqual(FOR_S);
    expect(((await processed()) - commands) / FOR_S).toBeLessThan(100);
    expect(await worker.probe("/livez")).toBe(200);
    await end(admin);
    await vi.waitFor(async () => expect(await worker.probe("/readyz")).toBe(200), 20_000);
    expect(worker.lines.length).toBeLessThanOrEqual(40);
    expect(warnings).toEqual([]);
  },
  90_000,
);
