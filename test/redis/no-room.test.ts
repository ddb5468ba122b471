import { Redis } from "ioredis";
import { expect, onTestFinished, test, vi } from "vitest";
import { checkRedis } from "../../cli/check/redis.ts";
import { createProducer } from "../../producer/index.ts";
import { startRedis } from "../../sandbox/index.ts";
import { all } from "../batch-harness.ts";
import { startDashboardHarness } from "../dashboard-harness.ts";
import { observeWorker } from "./observed-worker.ts";

const SAID = /max number of clients reached/;

test("a Redis that has no place for another client is named as that by whoever finds none", async () => {
  const redis = await startRedis();
  const admin = new Redis(redis.url);
  onTestFinished(async () => {
    admin.disconnect();
    await redis.stop();
  });
  await admin.config("SET", "maxclients", "1");
  const worker = await observeWorker({ redis: redis.url });
  const producer = createProducer({ redis: redis.url, prefix: worker.prefix, redisTimeout: 4000 });
  onTestFinished(() => producer.close());
  const error = await producer.enqueue("head-bucket", { bucket: "in" }).catch((thrown: unknown) => String(thrown));
  expect(error).toMatch(SAID);
  expect(error).not.toMatch(/EPIPE|did not answer within/);
  const findings = await all(checkRedis(redis.url, worker.prefix));
  expect(findings).toMatchObject([{ level: "problem", found: expect.stringMatching(SAID) as string }]);
  const dashboard = await startDashboardHarness({ redis: redis.url, prefix: worker.prefix });
  onTestFinished(() => dashboard.close());
  expect((await dashboard.send("/api/overview")).status).toBe(503);
  await vi.waitFor(() => expect(dashboard.logged()).toMatch(SAID), 10_000);
  await vi.waitFor(() => expect(worker.lines.join("")).toMatch(SAID), 20_000);
  const troubles = worker.lines.filter((line) => line.includes('"err"'));
  expect(troubles.filter((line) => !/"message":"ERR max number of clients reached/.test(line))).toEqual([]);
  expect(await worker.probe("/readyz")).toBe(503);
  await admin.config("SET", "maxclients", "1000");
  await worker.started;
  await vi.waitFor(async () => expect(await worker.probe("/readyz")).toBe(200), 20_000);
}, 90_000);
